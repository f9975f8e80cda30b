import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { attend, describeProgress } from '../../lib/process/attendance.js';
import { createRun, type Run } from '../../lib/runs/run.js';
import { Bot } from '../../lib/scheduler/bot.js';

const run = (progress: Partial<Run>): Run => ({
    ...createRun({
        job: 'send-invoices',
        file: undefined,
        args: [],
        tenant: undefined,
        scheduledAt: undefined,
        manual: true,
    }),
    ...progress,
});

describe('the progress of runs', () => {
    const ended = { startedAt: 1, endedAt: 2, attempt: 1 };

    test('names the job, and how long it has been going on', () => {
        assert.equal(
            describeProgress([run({ startedAt: 1, attempt: 1 })], 10_300),
            'running send-invoices for 10.3 s',
        );
    });

    test('has the tenant and its place among them, and the attempt from the second on', () => {
        const runs = [
            run({ ...ended, tenant: 'a' }),
            run({ startedAt: 3, attempt: 2, tenant: 'b\nc' }),
            run({ tenant: 'c' }),
        ];
        assert.equal(
            describeProgress(runs, 90_000),
            'running send-invoices for 1.5 min (tenant b c, 2 of 3, attempt 2)',
        );
    });

    test('is the time alone while nothing runs', () => {
        assert.equal(describeProgress([], 10_000), 'waiting for 10 s');
        assert.equal(describeProgress([run(ended), run({})], 10_000), 'waiting for 10 s');
    });
});

describe('who waits for runs', () => {
    const bot = new Bot();

    async function linesAfter({ mock }: TestContext, seconds: number, isJson: boolean): Promise<string[]> {
        mock.timers.enable({ apis: ['setInterval', 'Date'] });
        const error = mock.method(console, 'error', () => {});
        const runs = () => [run({ startedAt: 1, attempt: 1 })];
        await attend({ bot, isJson, runs }, async () => {
            for (let second = 0; second < seconds; second++) mock.timers.tick(1000);
        });
        mock.timers.tick(60_000);
        return error.mock.calls.map(({ arguments: [line] }) => String(line));
    }

    test('hears every 10 s how they get on, until they are over', async (t) => {
        assert.deepEqual(await linesAfter(t, 25, false), [
            'running send-invoices for 10 s',
            'running send-invoices for 20 s',
        ]);
    });

    test('hears nothing of what is over sooner', async (t) => {
        assert.deepEqual(await linesAfter(t, 9, false), []);
    });

    test('hears nothing where JSON was asked for', async (t) => {
        assert.deepEqual(await linesAfter(t, 25, true), []);
    });
});
