import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServiceFactory } from '../../lib/framework.js';
import { BackgroundJob } from '../../lib/jobs/background_job.js';
import type {
    BackgroundJobClass,
    BackgroundJobDefinition,
    BackgroundJobInstance,
} from '../../types/background_job.js';
import { endScenario, gate, job, never, type Scenario, slotOf, startScenario } from '../support/scenario.js';

const START = '2026-01-01T12:00:00.500Z';

const slotsOfSkips = (scenario: Scenario, reason: string) =>
    scenario.runs.filter((run) => run.outcome === 'skipped' && run.reason === reason).map(slotOf);

describe('a busy second', () => {
    test('bot.concurrency lets that many jobs run at once', async () => {
        const { opened, open } = gate();
        let running = 0;
        let most = 0;
        const jobs = Object.fromEntries(
            ['a', 'b', 'c', 'd', 'e'].map((name) => [
                name,
                job('1 0 12 * * *', async () => {
                    most = Math.max(most, ++running);
                    await opened;
                    running -= 1;
                }),
            ]),
        );
        const scenario = await startScenario(START, jobs, { config: { concurrency: 3 } });
        await scenario.clock.advance(1_000);
        assert.equal(running, 3);
        open();
        await scenario.clock.advance(0);
        assert.equal(most, 3);
        assert.equal(scenario.runs.length, 5);
        await endScenario(scenario);
    });

    test('two schedules with equal lane and equal slot make one run', async () => {
        const scenario = await startScenario(START, {
            twice: {
                meta(this: BackgroundJobClass) {
                    for (const crontab of ['* * * * * *', '*/1 * * * * *']) this.schedule(crontab);
                    this.schedule('* * * * * *', 'with args');
                },
                run() {},
            },
        });
        await scenario.clock.advance(1_000);
        assert.deepEqual(
            scenario.runs.map(({ args }) => args),
            [[], ['with args']],
        );
        await endScenario(scenario);
    });
});

describe('a job that never settles', () => {
    test('alone: its lane stays taken, and the 1st, 10th and 100th skip behind it warn with its age', async () => {
        const scenario = await startScenario(START, { hung: job('* * * * * *', never) });
        await scenario.clock.advance(120_000);
        assert.deepEqual(
            scenario.eventsOf('lane-blocked').map(({ skips, age }) => [skips, age]),
            [
                [1, 1_000],
                [10, 10_000],
                [100, 100_000],
            ],
        );
        assert.equal(slotsOfSkips(scenario, 'overlap').length, 119, 'each slot that is no run has a reason');
        await endScenario(scenario);
    });

    test('first of many in its second: after bot.turn the next starts beside it', async () => {
        const started: string[] = [];
        const scenario = await startScenario(START, {
            'a-hung': job('1 0 12 * * *', never),
            b: job('1 0 12 * * *', () => void started.push('b')),
            c: job('1 0 12 * * *', () => void started.push('c')),
            other: job('5 0 12 * * *', () => void started.push('other')),
        });
        await scenario.clock.advance(29_000);
        assert.deepEqual(started, ['other'], 'another second does not wait');
        await scenario.clock.advance(2_000);
        assert.deepEqual(started, ['other', 'b', 'c']);
        await endScenario(scenario);
    });
});

describe('overlap', () => {
    const lasting = (seconds: number, overlap: string, heed = false) =>
        job(
            '* * * * * *',
            async function (this: BackgroundJobInstance) {
                const { scenarioClock } = this['scenarioClock'] as { scenarioClock: Scenario['clock'] };
                await new Promise<void>((resolve, reject) => {
                    scenarioClock.after(seconds * 1000, resolve);
                    if (heed) this.signal.addEventListener('abort', () => reject(this.signal.reason));
                });
            },
            { overlap },
        );

    async function start(jobs: Record<string, BackgroundJobDefinition>): Promise<Scenario> {
        const holder: { scenarioClock?: Scenario['clock'] } = {};
        ServiceFactory.register('scenario-clock', { create: () => holder });
        const scenario = await startScenario(START, jobs);
        holder.scenarioClock = scenario.clock;
        return scenario;
    }

    test('skip: a slot that is due meanwhile is skipped', async () => {
        const scenario = await start({ slow: lasting(2.5, 'skip') });
        await scenario.clock.advance(8_000);
        assert.deepEqual(scenario.slots('slow'), ['12:00:01', '12:00:04']);
        assert.deepEqual(slotsOfSkips(scenario, 'overlap'), [
            '12:00:02',
            '12:00:03',
            '12:00:05',
            '12:00:06',
            '12:00:08',
        ]);
        await endScenario(scenario);
    });

    test('queue: one waits, further ones are skipped', async () => {
        const scenario = await start({ slow: lasting(2.5, 'queue') });
        await scenario.clock.advance(8_000);
        assert.deepEqual(scenario.slots('slow'), ['12:00:01', '12:00:02', '12:00:04']);
        assert.deepEqual(slotsOfSkips(scenario, 'overlap'), ['12:00:03', '12:00:05', '12:00:07', '12:00:08']);
        await endScenario(scenario);
    });

    test('replace: the old run is aborted, and the new one starts when it has ended', async () => {
        const scenario = await start({ slow: lasting(2.5, 'replace', true) });
        await scenario.clock.advance(4_000);
        assert.deepEqual(scenario.slots('slow', 'aborted'), ['12:00:01', '12:00:02', '12:00:03']);
        assert.deepEqual(
            scenario.runs.map(({ reason }) => reason),
            ['replaced', 'replaced', 'replaced'],
        );
        await endScenario(scenario);
    });

    test('replace: a run that ignores its signal keeps its lane and is named; of those that wait the newest stays', async () => {
        const scenario = await start({ slow: lasting(7.2, 'replace') });
        await scenario.clock.advance(8_000);
        assert.equal(scenario.eventsOf('run-ignores-signal').length, 1);
        await scenario.clock.advance(1_000);
        assert.deepEqual(scenario.slots('slow', 'aborted'), ['12:00:01']);
        assert.deepEqual(slotsOfSkips(scenario, 'superseded'), [
            '12:00:02',
            '12:00:03',
            '12:00:04',
            '12:00:05',
            '12:00:06',
            '12:00:07',
        ]);
        assert.equal(
            scenario.eventsOf('run-started').at(-1)?.run.scheduledAt,
            Date.parse('2026-01-01T12:00:08Z') / 1000,
        );
        await endScenario(scenario);
    });

    test('allow: runs go side by side', async () => {
        const scenario = await start({ slow: lasting(2.5, 'allow') });
        await scenario.clock.advance(6_000);
        assert.deepEqual(scenario.slots('slow'), ['12:00:01', '12:00:02', '12:00:03', '12:00:04']);
        assert.equal(slotsOfSkips(scenario, 'overlap').length, 0);
        await endScenario(scenario);
    });

    test('runs with other args have a lane of their own', async () => {
        const scenario = await startScenario(
            START,
            {
                two: {
                    meta(this: BackgroundJobClass) {
                        this.schedule('* * * * * *', 'hangs');
                        this.schedule('* * * * * *', 'ends');
                    },
                    run: (what: string) => (what === 'hangs' ? never() : undefined),
                },
            },
            { config: { turn: '100ms' } },
        );
        await scenario.clock.advance(4_000);
        const ended = scenario.runs.filter(
            ({ outcome, args }) => outcome === 'succeeded' && args[0] === 'ends',
        );
        assert.equal(ended.length, 4);
        await endScenario(scenario);
    });

    test('a slot whose turn comes after a newer one of its lane has started is superseded', async () => {
        const scenario = await startScenario(START, {
            'a-hung': job('1 0 12 * * *', never),
            often: job('* * * * * *'),
        });
        await scenario.clock.advance(40_000);
        assert.deepEqual(slotsOfSkips(scenario, 'superseded'), ['12:00:01']);
        await endScenario(scenario);
    });
});

describe('timeout', () => {
    test('the signal is aborted, and a run that heeds it has timed out', async () => {
        const scenario = await startScenario(START, {
            slow: job(
                '1 0 12 * * *',
                function () {
                    return new Promise((_, reject) => {
                        this.signal.addEventListener('abort', () => reject(this.signal.reason));
                    });
                },
                { timeout: '2s' },
            ),
        });
        await scenario.clock.advance(5_000);
        const [run] = scenario.runs;
        assert.equal(run?.outcome, 'timed_out');
        assert.equal(run?.error?.name, 'TimeoutError');
        assert.equal((run?.endedAt ?? 0) - (run?.startedAt ?? 0), 2_000);
        await endScenario(scenario);
    });

    test('a run that ignores it keeps its lane, is named, and holds up no other', async () => {
        const scenario = await startScenario(START, {
            'a-deaf': job('*/10 * * * * *', never, { timeout: '2s' }),
            other: job('*/10 * * * * *'),
        });
        await scenario.clock.advance(60_000);
        assert.deepEqual(
            scenario.eventsOf('run-ignores-signal').map(({ run, age }) => [run.job, age]),
            [['a-deaf', 7_000]],
        );
        assert.deepEqual(slotsOfSkips(scenario, 'overlap').slice(0, 2), ['12:00:20', '12:00:30']);
        assert.equal(
            scenario.slots('other').length,
            6 - 1,
            'its first slot waited a turn and was superseded',
        );
        await endScenario(scenario);
    });
});

describe('retries', () => {
    test('a failing run is tried again after a delay that doubles, and holds its lane meanwhile', async () => {
        const attempts: number[] = [];
        const scenario: Scenario = await startScenario(START, {
            flaky: job(
                '1 0 12 * * *',
                function () {
                    attempts.push(scenario.clock.now() - Date.parse('2026-01-01T12:00:01Z'));
                    if (this.currentRun.attempt < 4) throw new Error(`attempt ${this.currentRun.attempt}`);
                },
                { retries: 3, retryDelay: '10s' },
            ),
        });
        await scenario.clock.advance(100_000);
        assert.deepEqual(attempts, [0, 10_000, 30_000, 70_000]);
        assert.deepEqual(
            scenario.runs.map(({ outcome, attempt }) => [outcome, attempt]),
            [['succeeded', 4]],
        );
        await endScenario(scenario);
    });

    test('the delay has jitter', async () => {
        const scenario = await startScenario(
            START,
            { flaky: job('1 0 12 * * *', () => Promise.reject(new Error('no')), { retries: 1 }) },
            { random: () => 0.8 },
        );
        await scenario.clock.advance(20_000);
        assert.deepEqual(
            scenario.eventsOf('run-retrying').map(({ delay }) => delay),
            [12_000],
        );
        assert.deepEqual(
            scenario.runs.map(({ outcome, attempt }) => [outcome, attempt]),
            [['failed', 2]],
        );
        await endScenario(scenario);
    });

    test('a stop ends a waiting retry as aborted', async () => {
        const scenario = await startScenario(START, {
            flaky: job('1 0 12 * * *', () => Promise.reject(new Error('no')), { retries: 5 }),
        });
        await scenario.clock.advance(2_000);
        await scenario.bot.stop();
        assert.deepEqual(scenario.endings, ['flaky aborted (stopping): no']);
    });
});

describe('start and stop', () => {
    test("the runs of a bot that a job has started again are not that job's own", async () => {
        const scenario: Scenario = await startScenario(START, {
            restarter: job('1 0 12 * * *', async () => {
                await scenario.bot.stop();
                void scenario.bot.start();
            }),
            asks: job('4 0 12 * * *', async () => {
                await scenario.bot.runBackgroundJob('restarter');
            }),
        });
        await scenario.clock.advance(1_000);
        await scenario.loop;
        await scenario.clock.advance(4_000);
        assert.deepEqual(scenario.endings, ['restarter succeeded', 'restarter succeeded', 'asks succeeded']);
        await endScenario(scenario);
    });

    test('a stop waits for runs in flight; what still waits for its turn does not start', async () => {
        const { opened, open } = gate();
        const scenario = await startScenario(START, {
            a: job('1 0 12 * * *', () => opened),
            b: job('1 0 12 * * *'),
        });
        await scenario.clock.advance(1_000);
        let stopped = false;
        const stopping = scenario.bot.stop().then(() => {
            stopped = true;
        });
        await scenario.clock.advance(0);
        assert.equal(stopped, false);
        open();
        await stopping;
        assert.deepEqual(scenario.endings, ['b skipped (stopping)', 'a succeeded']);
    });

    test('after bot.stopTimeout the signals are aborted, and what does not heed them is named and abandoned', async () => {
        const scenario = await startScenario(START, {
            deaf: job('1 0 12 * * *', never),
            heeds: job('2 0 12 * * *', function () {
                return new Promise((_, reject) =>
                    this.signal.addEventListener('abort', () => reject(this.signal.reason)),
                );
            }),
        });
        await scenario.clock.advance(2_000);
        const stopped = scenario.bot.stop();
        await scenario.clock.advance(24_900);
        assert.equal(scenario.runs.length, 0);
        await scenario.clock.advance(200);
        assert.deepEqual(
            scenario.runs.map(({ job, outcome, reason }) => [job, outcome, reason]),
            [['heeds', 'aborted', 'stopping']],
        );
        await scenario.clock.advance(3_000);
        await stopped;
        assert.deepEqual(
            scenario.eventsOf('run-abandoned').map(({ run }) => run.job),
            ['deaf'],
        );
    });

    test('start, stop, start: the latest slot in between is caught up, and the slots go on', async () => {
        const scenario = await startScenario(START, { tick: job('* * * * * *') });
        await scenario.clock.advance(2_000);
        await scenario.bot.stop();
        await scenario.clock.advance(3_000);
        const loop = scenario.bot.start();
        assert.equal(scenario.bot.start(), loop);
        await scenario.clock.advance(0);
        await scenario.clock.advance(2_000);
        assert.deepEqual(scenario.slots('tick'), [
            '12:00:01',
            '12:00:02',
            '12:00:05',
            '12:00:06',
            '12:00:07',
        ]);
        await scenario.bot.stop();
        await loop;
    });
});

describe('the registry while the bot runs', () => {
    test('a job that is registered, again or anew, or unregistered, is picked up within a second', async () => {
        const scenario = await startScenario(START, { old: job('* * * * * *') });
        await scenario.clock.advance(2_000);
        BackgroundJob.register('fresh', job('* * * * * *'));
        BackgroundJob.unregister('old');
        await scenario.clock.advance(2_000);
        assert.deepEqual(scenario.slots('old'), ['12:00:01', '12:00:02']);
        assert.deepEqual(scenario.slots('fresh'), ['12:00:03', '12:00:04']);
        await endScenario(scenario);
    });

    test('registering a job again while its slot is being run harms neither the run nor the next slot', async () => {
        const { opened, open } = gate();
        const scenario: Scenario = await startScenario(START, { slow: job('*/2 * * * * *', () => opened) });
        await scenario.clock.advance(2_000);
        BackgroundJob.register('slow', { run: () => void scenario.notes.push('new code') });
        open();
        await scenario.clock.advance(2_000);
        assert.deepEqual(scenario.slots('slow'), ['12:00:02', '12:00:04']);
        assert.deepEqual(scenario.notes, ['new code']);
        await endScenario(scenario);
    });
});
