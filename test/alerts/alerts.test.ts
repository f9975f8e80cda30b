import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import type { BackgroundJobClass, BackgroundJobInstance } from '../../types/background_job.js';
import { loadApp, openAppWithDatabase } from '../support/fixture_app.js';

const { app } = await openAppWithDatabase(
    "create table tenants (id text primary key); insert into tenants values ('acme'), ('beta');",
);
// Only now: the framework looks for its project once, in the folder the process is in.
const { gate, job, startScenario } = await import('../support/scenario.js');
const { BackgroundJob } = await import('../../lib/index.js');
await loadApp(app);
await (await import('../../lib/runs/tenants.js')).hasTenantsTable();

const START = '2026-01-01T12:00:00.500Z';
const EVERY_MINUTE = '1 * * * * *';
const ONE = { multiTenant: false };
const HOOKS = ['jobFailing', 'jobRecovered', 'runSlow', 'slotOverdue'] as const;

/** A job that does as it is told at its slots, one after another. */
const inTurn = (...does: (() => unknown)[]) => {
    let next = 0;
    return () => does[next++]?.();
};
const fails = () => {
    throw new Error('no paper');
};
const works = () => {};

describe('hooks of jobs in trouble', () => {
    let heard: unknown[] = [];

    afterEach(() => {
        heard = [];
        for (const hook of HOOKS)
            delete (BackgroundJob as unknown as { hooks: Record<string, unknown> }).hooks[hook];
    });

    const listen = (to: Pick<BackgroundJobClass, 'addHook'> = BackgroundJob) => {
        for (const hook of HOOKS)
            to.addHook(hook, async function (this: BackgroundJobInstance, { error, ...news }) {
                const tenant = this.initialParams._headers['x-tenant-id'];
                heard.push([hook, this.currentRun.job, tenant, news, error?.message]);
            });
    };

    test('hear of a tenant whose runs fail in a row, and of the end of that', async () => {
        listen();
        const failing = {
            acme: [fails, fails, fails, fails, works, works],
            beta: [works, fails, fails, works],
        };
        const does = new Map(Object.entries(failing).map(([tenant, those]) => [tenant, inTurn(...those)]));
        const scenario = await startScenario(START, {
            mail: job(EVERY_MINUTE, function () {
                return does.get(String(this.currentRun.tenant))?.();
            }),
        });
        await scenario.clock.advance(6 * 60_000);
        assert.equal(scenario.runs.length, 12);
        assert.deepEqual(heard, [
            ['jobFailing', 'mail', 'acme', { failures: 3 }, 'no paper'],
            ['jobRecovered', 'mail', 'acme', { failures: 4, after: 240_000 }, undefined],
        ]);
        const types = scenario.events.map(({ type }) => type);
        assert.ok(
            types.indexOf('job-failing') > types.indexOf('run-ended'),
            'after the run that it is told of',
        );
    });

    test('hear as often as the job and the config say', async () => {
        const scenario = await startScenario(
            START,
            {
                first: job(EVERY_MINUTE, fails, ONE),
                later: job(EVERY_MINUTE, fails, { ...ONE, alerts: { failing: 2 } }),
                never: job(EVERY_MINUTE, fails, { ...ONE, alerts: false }),
                retried: job(EVERY_MINUTE, inTurn(fails, works, fails, works), { ...ONE, retries: 1 }),
            },
            { config: { alerts: { failing: 1 } } },
        );
        await scenario.clock.advance(2 * 60_000);
        const told = scenario.eventsOf('job-failing').map(({ run, failures }) => [run.job, failures]);
        assert.deepEqual(told, [
            ['first', 1],
            ['later', 2],
        ]);
    });

    test('of a job alone are its own; one that fails is reported, and a stop waits for it', async () => {
        const { opened, open } = gate();
        const scenario = await startScenario(START, {
            mail: {
                meta(this: BackgroundJobClass) {
                    this.schedule(EVERY_MINUTE);
                    listen(this);
                    this.addHook('jobFailing', async () => {
                        await opened;
                        throw new Error('no mail');
                    });
                },
                ...ONE,
                alerts: { failing: 1 },
                run: fails,
            },
            other: job(EVERY_MINUTE, fails, { ...ONE, alerts: { failing: 1 } }),
        });
        await scenario.clock.advance(1_000);
        const stopped = scenario.bot.stop();
        await scenario.clock.advance(1_000);
        assert.deepEqual(scenario.eventsOf('bot-stopped'), []);
        open();
        await stopped;
        assert.deepEqual(heard, [['jobFailing', 'mail', undefined, { failures: 1 }, 'no paper']]);
        const failed = scenario.eventsOf('hook-failed').map(({ hook, error }) => [hook, error.message]);
        assert.deepEqual(failed, [['jobFailing', 'no mail']]);
    });

    test('hear of the oldest slot of a job that nobody got to for five minutes', async () => {
        listen();
        const scenario = await startScenario(START, {
            mail: job([EVERY_MINUTE, '0 */5 * * * *'], works, ONE),
            recent: job('0 6 12 * * *', works, ONE),
            paused: job(EVERY_MINUTE, works, ONE),
            elsewhere: job(EVERY_MINUTE, works, { ...ONE, environments: ['production'] }),
            quiet: job(EVERY_MINUTE, works, { ...ONE, alerts: { overdue: false } }),
        });
        await scenario.bot.pauseBackgroundJob('paused');
        await scenario.clock.stall(10 * 60_000);
        const slot = Date.parse('2026-01-01T12:00:01Z') / 1000;
        assert.deepEqual(heard, [['slotOverdue', 'mail', undefined, { slot, by: 599_000 }, undefined]]);
        await scenario.clock.advance(10 * 60_000);
        assert.equal(scenario.eventsOf('slot-overdue').length, 1);
    });

    test('hear of such a slot in one of several processes that start at once', async () => {
        listen();
        const jobs = { mail: job(EVERY_MINUTE, works, ONE) };
        const config = { journal: { filename: join(app.root, 'overdue.db') } };
        const before = await startScenario(START, jobs, { config });
        await before.clock.advance(1_000);
        await before.bot.stop();
        const later = () => startScenario('2026-01-01T13:00:00.500Z', jobs, { config });
        const both = await Promise.all([later(), later()]);
        for (const { clock } of both) await clock.advance(2_000);
        assert.equal(both.flatMap(({ eventsOf }) => eventsOf('slot-overdue')).length, 1);
        assert.equal(heard.length, 1);
    });

    const takes = (seconds: number, usual = 2, runs = 20, alerts: unknown = undefined) => ({
        seconds,
        usual,
        runs,
        alerts,
    });
    for (const [what, { seconds, usual, runs, alerts }, expected] of [
        ['takes three times as long as usual', takes(10), { usual: 2_000, age: 6_000 }],
        ['takes less', takes(5), undefined],
        ['has too few before it', takes(10, 2, 19), undefined],
        [
            'takes as often as long as its job says',
            takes(10, 2, 20, { slow: 4.5 }),
            { usual: 2_000, age: 9_000 },
        ],
        ['takes less than a second', takes(0.9, 0.1), undefined],
        ['is of a job without alerts', takes(10, 2, 20, false), undefined],
    ] as const)
        test(`hear of a run, while it goes on, or not, that ${what}`, async () => {
            listen();
            const lasts = [...Array(runs).fill(usual), seconds];
            const clock = { after: (_: number, wake: () => void) => wake() };
            const scenario = await startScenario(START, {
                mail: job(
                    EVERY_MINUTE,
                    () => new Promise<void>((resolve) => clock.after(lasts.shift() * 1000, resolve)),
                    {
                        ...ONE,
                        alerts,
                    },
                ),
            });
            Object.assign(clock, { after: scenario.clock.after.bind(scenario.clock) });
            await scenario.clock.advance((runs + 1) * 60_000 - 55_500);
            assert.equal(scenario.runs.length, runs + (seconds < 1 ? 1 : 0));
            await scenario.clock.advance(30_000);
            assert.deepEqual(heard, expected ? [['runSlow', 'mail', undefined, expected, undefined]] : []);
            const types = scenario.events.map(({ type }) => type);
            assert.ok(types.lastIndexOf('run-slow') < types.lastIndexOf('run-ended'));
        });
});
