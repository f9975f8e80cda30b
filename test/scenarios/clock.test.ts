import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runtimeOf } from '../../lib/scheduler/bot.js';
import { ManualClock } from '../../lib/time/manual_clock.js';
import { job, startScenario } from '../support/scenario.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const HALF_A_SECOND_PAST = '2026-01-01T12:00:00.500Z';
const HALF_A_MINUTE_PAST = '2026-01-01T12:00:30Z';

const every = (crontab: string, settings = {}) => job(crontab, () => {}, settings);

describe('on time', () => {
    test('each slot runs once, at its second', async () => {
        const scenario = await startScenario('2026-01-01T12:00:00.400Z', { tick: every('*/2 * * * * *') });
        await scenario.clock.advance(6_000);
        assert.deepEqual(scenario.slots('tick'), ['12:00:02', '12:00:04', '12:00:06']);
        assert.deepEqual(
            scenario.runs.map(({ startedAt = 0, scheduledAt = 0 }) => startedAt - scheduledAt * 1000),
            [0, 0, 0],
        );
    });

    test('a bot that starts on the boundary of a second takes that second, and none before it', async () => {
        const scenario = await startScenario('2026-01-01T12:00:00.000Z', { tick: every('* * * * * *') });
        await scenario.clock.advance(1_500);
        assert.deepEqual(scenario.slots('tick'), ['12:00:00', '12:00:01']);
    });

    test('nothing starts before its slot although timers fire early', async () => {
        class EarlyClock extends ManualClock {
            override after(delay: number, wake: () => void) {
                return super.after(Math.max(0.1, delay - 0.9), wake);
            }
        }
        const clock = new EarlyClock(HALF_A_SECOND_PAST);
        const scenario = await startScenario('', { tick: every('* * * * * *') }, { clock });
        await clock.advance(10_000);
        assert.equal(scenario.slots('tick').length, 10);
        for (const { startedAt = 0, scheduledAt = 0 } of scenario.runs)
            assert.ok(startedAt >= scheduledAt * 1000);
    });
});

describe('a second in which the queue fails is told in words, and the next one makes up for it', () => {
    for (const [when, crontab, slots] of [
        ['with a slot', '* * * * * *', ['12:00:01', '12:00:02', '12:00:03']],
        ['without one', '*/2 * * * * *', ['12:00:02']],
    ] as const)
        test(when, async (t) => {
            const scenario = await startScenario(HALF_A_SECOND_PAST, {
                tick: every(crontab, { missed: 'all' }),
            });
            const { engine } = runtimeOf(scenario.bot);
            t.mock.method(engine, 'enqueue', () => Promise.reject(new TypeError('no disk')), { times: 1 });
            await scenario.clock.advance(3_000);
            assert.deepEqual(scenario.slots('tick'), slots);
            const told = scenario.eventsOf('engine-failed');
            assert.deepEqual(
                told.map(({ error }) => [error.name, error.message, error instanceof Error]),
                [['TypeError', 'no disk', false]],
            );
        });
});

describe('a stall of 5 s', () => {
    for (const [missed, expected] of [
        ['skip', ['12:00:05']],
        ['once', ['12:00:05']],
        ['all', ['12:00:01', '12:00:02', '12:00:03', '12:00:04', '12:00:05']],
    ] as const) {
        test(`missed: ${missed} runs ${expected.length} of the five slots`, async () => {
            const scenario = await startScenario(HALF_A_SECOND_PAST, {
                tick: every('* * * * * *', { missed }),
            });
            await scenario.clock.stall(5_000);
            assert.deepEqual(scenario.slots('tick'), expected);
            const unrun = scenario.eventsOf('slots-unrun').reduce((sum, { count }) => sum + count, 0);
            assert.equal(unrun, 5 - expected.length, 'each slot that does not run is accounted for');
            await scenario.clock.advance(1_000);
            assert.equal(scenario.slots('tick').at(-1), '12:00:06');
        });
    }
});

test('a stall of 2 h: the policy of each job decides', async () => {
    const scenario = await startScenario(HALF_A_MINUTE_PAST, {
        all: every('*/30 * * * *', { missed: 'all', missedWithin: '90m' }),
        once: every('*/30 * * * *'),
        skip: every('*/30 * * * *', { missed: 'skip' }),
    });
    await scenario.clock.stall(2 * HOUR);
    // 12:30 is older than 90 minutes at 14:00:30.
    assert.deepEqual(scenario.slots('all'), ['13:00:00', '13:30:00', '14:00:00']);
    assert.deepEqual(scenario.slots('once'), ['14:00:00']);
    assert.deepEqual(scenario.slots('skip'), []);
    assert.deepEqual(
        scenario.eventsOf('slots-unrun').map(({ job, reason, count }) => [job, reason, count]),
        [
            ['all', 'too old', 1],
            ['once', 'too old', 2],
            ['once', 'superseded', 1],
            ['skip', 'missed', 4],
        ],
    );
    assert.equal(scenario.eventsOf('clock-gap').length, 1);
});

describe('a clock that is set', () => {
    test('back by minutes: nothing runs again, and the schedule goes on from the time reached before', async () => {
        const scenario = await startScenario(HALF_A_MINUTE_PAST, { minutely: every('* * * * *') });
        await scenario.clock.advance(2 * MINUTE);
        scenario.clock.step(-5 * MINUTE);
        await scenario.clock.advance(6 * MINUTE);
        assert.deepEqual(scenario.slots('minutely'), ['12:01:00', '12:02:00', '12:03:00']);
        const said = scenario.eventsOf('clock-set-back').map(({ adopted }) => adopted);
        assert.deepEqual(said, [false], 'said once');
    });

    test('back by hours: the new time is announced and adopted, and no slot runs twice', async () => {
        const scenario = await startScenario(HALF_A_MINUTE_PAST, { minutely: every('* * * * *') });
        await scenario.clock.advance(2 * MINUTE);
        scenario.clock.step(-2 * HOUR);
        await scenario.clock.advance(2 * MINUTE);
        assert.deepEqual(scenario.slots('minutely'), ['12:01:00', '12:02:00', '10:03:00', '10:04:00']);
        const said = scenario.eventsOf('clock-set-back').map(({ adopted }) => adopted);
        assert.deepEqual(said, [true]);
        await scenario.clock.advance(2 * HOUR);
        const slots = scenario.slots('minutely');
        assert.equal(new Set(slots).size, slots.length, 'what has run stays so');
    });

    test('forward by two hours and back again: no slot runs twice', async () => {
        const scenario = await startScenario(HALF_A_SECOND_PAST, { tick: every('* * * * * *') });
        await scenario.clock.advance(3_000);
        scenario.clock.step(2 * HOUR);
        await scenario.clock.advance(5_000);
        scenario.clock.step(-2 * HOUR);
        await scenario.clock.advance(5_000);
        scenario.clock.step(2 * HOUR - 10_000);
        await scenario.clock.advance(20_000);
        const slots = scenario.slots('tick');
        assert.equal(new Set(slots).size, slots.length, `${slots}`);
        // What was passed over has its reason, and does not come again either.
        assert.ok(!slots.includes('12:00:10') && slots.includes('14:00:23'), `${slots}`);
    });
});
