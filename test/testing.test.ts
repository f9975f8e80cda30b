import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as realDelay } from 'node:timers/promises';
import { ManualClock, simulate } from '../lib/testing.js';
import type { BackgroundJobInstance } from '../types/background_job.js';
import { job, never, registerJobs, slotOf } from './support/scenario.js';

describe('simulate', () => {
    test('runs an app through a stretch of time, and returns its runs in order', async () => {
        registerJobs({
            daily: job('0 2 * * *', () => {}, { timezone: 'Europe/London' }),
            hourly: job('0 * * * *', async () => {}),
        });
        const runs = await simulate('2026-03-29T00:00:00Z', '2026-03-29T04:00:00Z');
        assert.deepEqual(
            runs.map((run) => [run.job, slotOf(run), run.outcome]),
            [
                ['hourly', '00:00:00', 'succeeded'],
                ['daily', '01:00:00', 'succeeded'],
                ['hourly', '01:00:00', 'succeeded'],
                ['hourly', '02:00:00', 'succeeded'],
                ['hourly', '03:00:00', 'succeeded'],
            ],
            'the clocks go forward at 01:00 UTC, so 02:00 in London is one hour earlier from that day on',
        );
    });

    test('runs what a job enqueues for later, at its simulated time', async () => {
        const welcomed: unknown[] = [];
        registerJobs({
            daily: job('0 2 * * *', async function (this: BackgroundJobInstance) {
                await this['bot'].enqueue('welcome', { args: ['user-7'], in: '10m' });
            }),
            welcome: job([], (...args: unknown[]) => void welcomed.push(args)),
        });
        const runs = await simulate('2026-01-01T00:00:00Z', '2026-01-01T04:00:00Z');
        assert.deepEqual(
            runs.map(({ job, outcome, startedAt = 0 }) => [
                job,
                outcome,
                new Date(startedAt).toISOString().slice(11, 16),
            ]),
            [
                ['daily', 'succeeded', '02:00'],
                ['welcome', 'succeeded', '02:10'],
            ],
        );
        assert.deepEqual(welcomed, [['user-7']]);
    });

    test('knows spread', async () => {
        registerJobs({ spread: job('0 2 * * *', () => {}, { spread: '1h' }) });
        const runs = await simulate('2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z');
        const [first, second] = runs.map(
            ({ scheduledAt = 0, startedAt = 0 }) => startedAt - scheduledAt * 1000,
        );
        assert.ok(first !== undefined && first > 0 && first < 3_600_000, `${first}`);
        assert.equal(second, first);
    });

    test('waits for work that takes real time, without letting the simulated time pass', async () => {
        registerJobs({ slow: job('* * * * * *', () => realDelay(20)) });
        const runs = await simulate('2026-01-01T00:00:00Z', '2026-01-01T00:00:03Z');
        assert.deepEqual(
            runs.map(({ outcome, startedAt = 0, endedAt }) => [outcome, startedAt % 60_000, endedAt]),
            [0, 1000, 2000].map((at) => ['succeeded', at, Date.parse('2026-01-01T00:00:00Z') + at]),
        );
    });

    test('goes on without a run that stands still', async () => {
        registerJobs({
            hung: job('0 * * * * *', never),
            other: job('30 * * * * *'),
        });
        const runs = await simulate('2026-01-01T00:00:00Z', '2026-01-01T00:02:00Z', { patience: 50 });
        assert.deepEqual(
            runs.map((run) => [run.job, slotOf(run), run.outcome, run.reason]),
            [
                ['other', '00:00:30', 'succeeded', undefined],
                ['hung', '00:01:00', 'skipped', 'overlap'],
                ['other', '00:01:30', 'succeeded', undefined],
            ],
        );
    });

    test('takes retries and environments by its own rules', async () => {
        const settings = { retries: 2, retryDelay: '1m', environments: ['production'] };
        const fails = function (this: BackgroundJobInstance) {
            if (this.currentRun.attempt < 3) throw new Error('not yet');
        };
        registerJobs({ flaky: job('0 0 * * *', fails, settings) });
        const [from, to] = ['2026-01-01T00:00:00Z', '2026-01-01T00:10:00Z'];
        assert.equal((await simulate(from, to))[0]?.reason, 'environment');
        const [run] = await simulate(from, to, { environment: 'production' });
        assert.deepEqual([run?.outcome, run?.attempt], ['succeeded', 3]);
        assert.ok((run?.endedAt ?? 0) - (run?.startedAt ?? 0) >= 180_000);
    });

    const date = new Date('2026-01-01T00:00:00Z');
    const refused: [from: unknown, to: unknown, message: RegExp][] = [
        [date, date, /`to` \(2026-01-01T00:00:00.000Z\) is not after `from` \(2026-01-01T00:00:00.000Z\)/],
        ['2026-01-02', '2026-01-01', /`to` \(2026-01-01T.* is not after `from` \(2026-01-02T/],
        ['soon', date, /`from` \("soon"\) is not a time: pass a Date, an ISO 8601 text or unix milliseconds/],
        [new Date(Number.NaN), date, /`from` \(Invalid Date\) is not a time/],
        [date, Number.POSITIVE_INFINITY, /`to` \(Infinity\) is not a time/],
        [date, undefined, /`to` \(undefined\) is not a time/],
        [null, date, /`from` \(null\) is not a time/],
        [1_767_225_600, 1_767_229_200, /`from` \(1767225600\) looks like unix seconds, not milliseconds/],
        [date, new Date('3000-01-01T00:00:00Z'), /`to` \(3000-01-01.*\) is after the year 2999/],
    ];
    for (const [from, to, message] of refused) {
        test(`refuses to run from ${String(from)} to ${String(to)}`, async () => {
            const simulateAny = simulate as (from: unknown, to: unknown) => Promise<unknown>;
            await assert.rejects(simulateAny(from, to), { name: 'TypeError', message });
        });
    }

    test('refuses a bad config', async () => {
        await assert.rejects(
            simulate('2026-01-01', '2026-01-02', { config: { concurency: 2 } as object }),
            /did you mean "concurrency"/,
        );
    });
});

describe('ManualClock', () => {
    test('fires timers at their times and in order, and forgets cancelled ones', async () => {
        const clock = new ManualClock(1_000);
        const fired: unknown[] = [];
        clock.after(20, () => fired.push(['b', clock.now()]));
        clock.after(10, () => {
            fired.push(['a', clock.now()]);
            clock.after(5, () => fired.push(['nested', clock.now()]));
        });
        clock.after(12, () => fired.push('cancelled'))();
        await clock.advance(19);
        assert.deepEqual(fired, [
            ['a', 1_010],
            ['nested', 1_015],
        ]);
        await clock.advance(1);
        assert.deepEqual(fired.at(-1), ['b', 1_020]);
    });

    test('a stall fires what came due in it at its end; a step moves the wall clock alone', async () => {
        const clock = new ManualClock(0);
        const fired: number[] = [];
        clock.after(10, () => fired.push(clock.now()));
        clock.step(1_000);
        assert.deepEqual([clock.now(), fired], [1_000, []]);
        await clock.stall(50);
        assert.deepEqual(fired, [1_050]);
    });
});
