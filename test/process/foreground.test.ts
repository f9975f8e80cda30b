import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { describeProgress, inForeground } from '../../lib/process/foreground.js';
import { createRun, type Run } from '../../lib/runs/run.js';
import { Bot } from '../../lib/scheduler/bot.js';

const run = (progress: Partial<Run>): Run => ({
    ...createRun({ job: 'send-invoices', args: [] }),
    ...progress,
});

const RUNNING = run({ startedAt: 1, attempt: 1 });

describe('the progress of runs', () => {
    const ended = { startedAt: 1, endedAt: 2, attempt: 1 };

    const amongTenants = [
        run({ ...ended, tenant: 'a' }),
        run({ startedAt: 3, attempt: 2, tenant: 'b\nc' }),
        run({ tenant: 'c' }),
    ];
    const cases: [what: string, runs: Run[], after: number, expected: string][] = [
        [
            'names the job, and how long it has been going on',
            [RUNNING],
            10_300,
            'running send-invoices for 10.3 s',
        ],
        [
            'has the tenant and its place among them, and the attempt from the second on',
            amongTenants,
            90_000,
            'running send-invoices for 1.5 min (tenant b c, 2 of 3, attempt 2)',
        ],
        ['is the time alone while nothing runs', [run(ended), run({})], 10_000, 'waiting for 10 s'],
    ];
    for (const [what, runs, after, expected] of cases)
        test(what, () => assert.equal(describeProgress(runs, after), expected));
});

describe('who waits for runs', () => {
    const bot = new Bot();

    async function linesAfter({ mock }: TestContext, seconds: number, isJson: boolean): Promise<string[]> {
        mock.timers.enable({ apis: ['setInterval', 'Date'] });
        const error = mock.method(console, 'error', () => {});
        const runs = () => [RUNNING];
        await inForeground({ bot, isJson, runs }, async () => {
            for (let second = 0; second < seconds; second++) mock.timers.tick(1000);
        });
        mock.timers.tick(60_000);
        return error.mock.calls.map(({ arguments: [line] }) => String(line));
    }

    for (const [what, seconds, isJson, expected] of [
        ['every 10 s how they get on, until they are over', 25, false, [10, 20]],
        ['nothing of what is over sooner', 9, false, []],
        ['nothing where JSON was asked for', 25, true, []],
    ] as const)
        test(`hears ${what}`, async (t) => {
            const lines = expected.map((second) => `running send-invoices for ${second} s`);
            assert.deepEqual(await linesAfter(t, seconds, isJson), lines);
        });
});
