import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BackgroundJob } from '../../lib/jobs/background_job.js';
import { runtimeOf } from '../../lib/scheduler/bot.js';
import type { BackgroundJobClass, BackgroundJobInstance } from '../../types/background_job.js';
import { gate, job, never, type Scenario, startScenario } from '../support/scenario.js';

const START = '2026-01-01T12:00:00.500Z';

const EVERY_SECOND = '* * * * * *';
const ONCE = '1 0 12 * * *';

const fails = () => {
    throw new Error('no');
};

function untilAborted(this: BackgroundJobInstance): Promise<never> {
    return new Promise((_resolve, reject) => {
        this.signal.addEventListener('abort', () => reject(this.signal.reason));
    });
}

describe('a busy second', () => {
    test('a thousand due jobs run one after another, by name', async () => {
        let running = 0;
        const order: string[] = [];
        const one = job(ONCE, async function () {
            assert.equal(++running, 1, 'one at a time');
            order.push(this.currentRun.job);
            await null;
            running -= 1;
        });
        const jobs = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`job-${index}`, one]));
        const { bot, clock } = await startScenario(START, jobs);
        await clock.advance(1_000);
        while (runtimeOf(bot).worker.runs.size > 0) await clock.advance(0);
        assert.deepEqual(order, Object.keys(jobs).sort());
    });

    test('bot.concurrency lets that many jobs run at once', async () => {
        const { opened, open } = gate();
        let running = 0;
        let most = 0;
        const one = job(ONCE, async () => {
            most = Math.max(most, ++running);
            await opened;
            running -= 1;
        });
        const jobs = { a: one, b: one, c: one, d: one, e: one };
        const scenario = await startScenario(START, jobs, { config: { concurrency: 3 } });
        await scenario.clock.advance(1_000);
        assert.equal(running, 3);
        open();
        await scenario.clock.advance(0);
        assert.equal(most, 3);
        assert.equal(scenario.runs.length, 5);
    });

    test('two schedules with equal lane and equal slot make one run', async () => {
        const scenario = await startScenario(START, {
            twice: {
                meta(this: BackgroundJobClass) {
                    this.schedule('* * * * * *');
                    this.schedule('*/1 * * * * *');
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
    });
});

describe('a job that never settles', () => {
    test('alone: its lane stays taken, and the 1st, 10th and 100th skip behind it warn with its age', async () => {
        const scenario = await startScenario(START, { hung: job(EVERY_SECOND, never) });
        await scenario.clock.advance(120_000);
        assert.deepEqual(
            scenario.eventsOf('lane-blocked').map(({ skips, age }) => [skips, age]),
            [
                [1, 1_000],
                [10, 10_000],
                [100, 100_000],
            ],
        );
        assert.equal(scenario.skips('overlap').length, 119, 'each slot that is no run has a reason');
    });

    test('first of many in its second: after bot.turn the next starts beside it', async () => {
        const started: string[] = [];
        const { clock } = await startScenario(START, {
            'a-hung': job(ONCE, never),
            b: job(ONCE, () => void started.push('b')),
            c: job(ONCE, () => void started.push('c')),
            other: job('5 0 12 * * *', () => void started.push('other')),
        });
        await clock.advance(29_000);
        assert.deepEqual(started, ['other'], 'another second does not wait');
        await clock.advance(2_000);
        assert.deepEqual(started, ['other', 'b', 'c']);
    });
});

// What else becomes of overlapping runs stands in the conformance suite.
test('overlap: replace: a run that ignores its signal keeps its lane and is named; of those that wait the newest stays', async () => {
    const scenario: Scenario = await startScenario(START, {
        slow: job(
            EVERY_SECOND,
            () => new Promise<void>((resolve) => void scenario.clock.after(7_200, resolve)),
            { overlap: 'replace' },
        ),
    });
    await scenario.clock.advance(8_000);
    assert.equal(scenario.eventsOf('run-ignores-signal').length, 1);
    await scenario.clock.advance(1_000);
    assert.deepEqual(scenario.slots('slow', 'aborted'), ['12:00:01']);
    assert.equal(scenario.skips('superseded').length, 6);
    assert.equal(
        scenario.eventsOf('run-started').at(-1)?.run.scheduledAt,
        Date.parse('2026-01-01T12:00:08Z') / 1000,
    );
});

describe('timeout', () => {
    test('the signal is aborted, and a run that heeds it has timed out', async () => {
        const scenario = await startScenario(START, {
            slow: job(ONCE, untilAborted, { timeout: '2s' }),
        });
        await scenario.clock.advance(5_000);
        const [run] = scenario.runs;
        assert.equal(run?.outcome, 'timed_out');
        assert.equal(run.error?.name, 'TimeoutError');
        assert.equal((run.endedAt ?? 0) - (run.startedAt ?? 0), 2_000);
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
        assert.deepEqual(scenario.skips('overlap').slice(0, 2), ['12:00:20', '12:00:30']);
        const others = scenario.slots('other').length;
        assert.equal(others, 6 - 1, 'its first slot waited a turn and was superseded');
    });
});

describe('retries', () => {
    test('a failing run is tried again after a delay that doubles, and holds its lane meanwhile', async () => {
        const attempts: number[] = [];
        const scenario: Scenario = await startScenario(START, {
            flaky: job(
                ONCE,
                function () {
                    attempts.push(scenario.clock.now() - Date.parse('2026-01-01T12:00:01Z'));
                    if (this.currentRun.attempt < 4) throw new Error(`attempt ${this.currentRun.attempt}`);
                },
                { retries: 3, retryDelay: '10s' },
            ),
        });
        await scenario.clock.advance(100_000);
        assert.deepEqual(attempts, [0, 10_000, 30_000, 70_000]);
        assert.deepEqual(scenario.endings, ['flaky succeeded']);
    });

    test('the delay has jitter', async () => {
        const flaky = job(ONCE, fails, { retries: 1 });
        const scenario = await startScenario(START, { flaky }, { random: () => 0.8 });
        await scenario.clock.advance(20_000);
        const [retry] = scenario.eventsOf('run-retrying');
        assert.equal(retry?.delay, 12_000);
        assert.deepEqual(scenario.endings, ['flaky failed: no']);
    });

    test('a stop ends a waiting retry as aborted, where nobody remembers it', async () => {
        const scenario = await startScenario(START, { flaky: job(ONCE, fails, { retries: 5 }) });
        await scenario.clock.advance(2_000);
        await scenario.bot.stop();
        assert.deepEqual(scenario.endings, ['flaky aborted (stopping): no']);
    });
});

describe('start and stop', () => {
    test("the runs of a bot that a job has started again are not that job's own", async () => {
        const scenario: Scenario = await startScenario(START, {
            restarter: job(ONCE, async () => {
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
    });

    test('a stop waits for runs in flight; what still waits for its turn does not start', async () => {
        const { opened, open } = gate();
        const scenario = await startScenario(START, { a: job(ONCE, () => opened), b: job(ONCE) });
        await scenario.clock.advance(1_000);
        let stopped = false;
        const stopping = scenario.bot.stop().then(() => {
            stopped = true;
        });
        await scenario.clock.advance(3_000);
        assert.equal(stopped, false);
        assert.equal(scenario.eventsOf('bot-stopping')[0]?.runs, 1);
        open();
        await stopping;
        assert.deepEqual(scenario.endings, ['a succeeded', 'b skipped (stopping)']);
    });

    for (const [who, hook, ending] of [
        ['a job', undefined, 'succeeded'],
        ['its hook beforeRun', 'beforeRun', 'succeeded'],
        ['its hook jobFailing', 'jobFailing', 'failed: no'],
    ] as const)
        test(`a stop by ${who} waits for other runs, but not for its own`, async () => {
            const { opened, open } = gate();
            const order: string[] = [];
            const stops = async () => {
                await scenario.bot.stop();
                order.push('stopper');
            };
            const runs = hook === 'jobFailing' ? fails : () => {};
            const scenario: Scenario = await startScenario(START, {
                other: job(ONCE, async () => {
                    await opened;
                    order.push('other');
                }),
                stopper: {
                    meta(this: BackgroundJobClass) {
                        this.schedule('2 0 12 * * *');
                        if (hook) this.addHook(hook, stops);
                    },
                    alerts: { failing: 1 },
                    run: hook ? runs : stops,
                },
            });
            await scenario.clock.advance(2_000);
            assert.deepEqual(order, []);
            open();
            await scenario.loop;
            assert.deepEqual(order, ['other', 'stopper']);
            assert.deepEqual(scenario.endings.sort(), ['other succeeded', `stopper ${ending}`]);
        });

    test('after bot.stopTimeout the signals are aborted, and what does not heed them is named and abandoned', async () => {
        const scenario = await startScenario(START, {
            deaf: job(ONCE, never),
            heeds: job('2 0 12 * * *', untilAborted),
        });
        await scenario.clock.advance(2_000);
        const stopped = scenario.bot.stop();
        await scenario.clock.advance(24_900);
        assert.equal(scenario.runs.length, 0);
        await scenario.clock.advance(200);
        const [heeds] = scenario.runs;
        assert.deepEqual([heeds?.job, heeds?.outcome, heeds?.reason], ['heeds', 'aborted', 'stopping']);
        await scenario.clock.advance(3_000);
        await stopped;
        assert.deepEqual(
            scenario.eventsOf('run-abandoned').map(({ run }) => run.job),
            ['deaf'],
        );
    });

    test('start, stop, start: the latest slot in between is caught up, and the slots go on', async () => {
        const { bot, clock, loop, slots } = await startScenario(START, { tick: job(EVERY_SECOND) });
        await clock.advance(2_000);
        await bot.stop();
        await clock.advance(3_000);
        assert.notEqual(bot.start(), loop);
        await clock.advance(0);
        await clock.advance(2_000);
        const expected = [1, 2, 5, 6, 7].map((second) => `12:00:0${second}`);
        assert.deepEqual(slots('tick'), expected);
    });
});

describe('the registry while the bot runs', () => {
    test('a job that is registered, again or anew, or unregistered, is picked up within a second', async () => {
        const { clock, slots } = await startScenario(START, { old: job(EVERY_SECOND) });
        await clock.advance(2_000);
        BackgroundJob.register('fresh', job(EVERY_SECOND));
        BackgroundJob.unregister('old');
        await clock.advance(2_000);
        assert.deepEqual(slots('old'), ['12:00:01', '12:00:02']);
        assert.deepEqual(slots('fresh'), ['12:00:03', '12:00:04']);
    });

    test('registering a job again while its slot is being run harms neither the run nor the next slot', async () => {
        const { opened, open } = gate();
        const notes: string[] = [];
        const { clock, slots } = await startScenario(START, { slow: job('*/2 * * * * *', () => opened) });
        await clock.advance(2_000);
        BackgroundJob.register('slow', { run: () => void notes.push('new code') });
        open();
        await clock.advance(2_000);
        assert.deepEqual(slots('slow'), ['12:00:02', '12:00:04']);
        assert.deepEqual(notes, ['new code']);
    });

    test('a job that another one unregisters which is due before it in the same second does no harm', async () => {
        const ran: string[] = [];
        const scenario = await startScenario(START, {
            'a-first': job(EVERY_SECOND, () => {
                ran.push('a-first');
                BackgroundJob.unregister('b-second');
            }),
            'b-second': job(EVERY_SECOND, () => void ran.push('b-second')),
        });
        await scenario.clock.advance(2_000);
        assert.deepEqual(ran, ['a-first', 'a-first'], 'it is gone');
        assert.deepEqual(
            new Set(scenario.endings),
            new Set(['a-first succeeded']),
            'its row waits for who knows it',
        );
    });
});
