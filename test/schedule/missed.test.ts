import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
    decideSlots,
    type Gap,
    LATE_SECONDS,
    type MissedPolicy,
    MOST_CATCH_UPS,
    MOST_COUNTED,
} from '../../lib/schedule/missed.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { periodic } from '../support/periodic_schedule.js';

type Spans = Parameters<typeof decideSlots>[0];

const catchUp = (schedule: Spans, gap: Gap, policy: { missed: MissedPolicy; missedWithin: number }) =>
    decideSlots(schedule, gap, { ...policy, earlier: [], workedUntil: gap.after });

const HOUR = 3600;
const DAY = 24 * HOUR;
const daily = periodic('daily', DAY, 0);
const everyMinute = periodic('every-minute', 60, 0);
const everySecond = periodic('every-second', 1, 0);

const within = (missed: MissedPolicy, missedWithin = HOUR) => ({ missed, missedWithin });
const STALL = { after: DAY - 3, now: DAY + 2 };
const SLEEP = { after: DAY - HOUR, now: DAY + 7 * HOUR };
const LONG_SLEEP = { ...SLEEP, now: SLEEP.now + 30 };

/** Under a policy, the slots that run, and how many do not, with the reason. */
type Case = [Spans, Gap, ReturnType<typeof within>, run: number[], unrun: string[]];

const CASES: Record<string, Case[]> = {
    'a slot that a stall has made late runs under every policy': [
        [daily, STALL, within('skip'), [DAY], []],
        [daily, STALL, within('once', 0), [DAY], []],
        [daily, STALL, within('all'), [DAY], []],
    ],
    'earlier late slots are left to the policy': [
        [everySecond, STALL, within('skip'), [DAY + 2], ['4 missed']],
        [everySecond, STALL, within('once'), [DAY + 2], ['4 superseded']],
        [everySecond, STALL, within('all'), [DAY - 2, DAY - 1, DAY, DAY + 1, DAY + 2], []],
        [everySecond, STALL, within('all', 1), [DAY + 1, DAY + 2], ['3 too old']],
    ],
    'a daily slot in eight hours of sleep runs where missed and missedWithin allow it': [
        [daily, SLEEP, within('once'), [], ['1 too old']],
        [daily, SLEEP, within('once', 7 * HOUR - 1), [], ['1 too old']],
        [daily, SLEEP, within('once', 7 * HOUR), [DAY], []],
        [daily, SLEEP, within('all', 8 * HOUR), [DAY], []],
        [daily, SLEEP, within('skip', DAY), [], ['1 missed']],
    ],
    'of an every-minute schedule the latest slot runs, or the latest hundred': [
        [everyMinute, LONG_SLEEP, within('once'), [SLEEP.now], ['420 too old', '59 superseded']],
        [
            everyMinute,
            LONG_SLEEP,
            within('all', 3 * HOUR),
            Array.from(
                { length: MOST_CATCH_UPS },
                (_, index) => SLEEP.now - 60 * (MOST_CATCH_UPS - 1 - index),
            ),
            ['300 too old', '80 too many'],
        ],
    ],
    'a gap without slots has nothing to catch up': (['skip', 'once', 'all'] as const).flatMap(
        (missed): Case[] => [
            [daily, { after: 10, now: DAY - 1 }, within(missed), [], []],
            [daily, { after: DAY, now: DAY }, within(missed), [], []],
        ],
    ),
};
for (const [what, cases] of Object.entries(CASES))
    test(what, () => {
        for (const [schedule, gap, policy, run, unrun] of cases) {
            const result = catchUp(schedule, gap, policy);
            assert.deepEqual(result.run, run);
            assert.deepEqual(
                result.unrun.map(({ reason, count }) => `${count} ${reason}`),
                unrun,
            );
        }
    });

test('a year of seconds is counted no further than it is worth', () => {
    let asked = 0;
    const next = (after: number) => everySecond.next(after) + 0 * asked++;
    const now = 365 * DAY;
    const result = catchUp({ ...everySecond, next }, { after: 0, now }, within('once'));
    const most = { count: MOST_COUNTED, atLeast: true };
    assert.deepEqual(result, {
        run: [now],
        unrun: [
            { reason: 'too old', ...most, first: 1, last: now - HOUR - 1 },
            { reason: 'superseded', ...most, first: now - HOUR, last: now - 1 },
        ],
    });
    assert.ok(asked <= 2 * MOST_COUNTED);
});

test('a count is exact up to its bound', () => {
    const [result] = catchUp(everySecond, { after: 0, now: MOST_COUNTED + 1 }, within('once', DAY)).unrun;
    assert.deepEqual([result?.count, result?.atLeast], [MOST_COUNTED, false]);
});

test('a slot that did not exist on the wall clock is caught up once', () => {
    const schedule = createSchedule('a', ['30 1 * * *'], 'Europe/London');
    const hour = (hour: number) => Date.UTC(2026, 2, 29, hour) / 1000;
    const result = catchUp(schedule, { after: hour(0), now: hour(3) }, within('all', DAY));
    assert.deepEqual(result.run, [hour(1)]);
});

test('every slot of a gap either runs or is recorded, once and for the right reason', () => {
    const cases = fc.record({
        period: fc.integer({ min: 1, max: 50 }),
        after: fc.nat(500),
        length: fc.nat(400),
        missed: fc.constantFrom<MissedPolicy>('skip', 'once', 'all'),
        missedWithin: fc.oneof(fc.nat(500), fc.constant(2.5), fc.constant(Number.POSITIVE_INFINITY)),
    });
    fc.assert(
        fc.property(cases, ({ period, after, length, missed, missedWithin }) => {
            const schedule = periodic('a', period, 0);
            const now = after + length;
            const slots: number[] = [];
            for (let second = after + 1; second <= now; second++)
                if (schedule.matches(second)) slots.push(second);

            const result = catchUp(schedule, { after, now }, { missed, missedWithin });

            const latest = slots.at(-1);
            const late = latest !== undefined && now - latest < LATE_SECONDS;
            const young = slots.filter((slot) => now - slot <= missedWithin || (late && slot === latest));
            const expected = {
                skip: late ? [latest] : [],
                once: young.slice(-1),
                all: young.slice(-MOST_CATCH_UPS),
            };
            assert.deepEqual(result.run, expected[missed]);

            const rest = slots.filter((slot) => !result.run.includes(slot));
            const recorded = result.unrun.flatMap(({ count, first, last, reason }) => {
                const own = rest.filter((slot) => slot >= first && slot <= last);
                assert.equal(own.length, count);
                assert.deepEqual([own[0], own.at(-1)], [first, last]);
                if (reason === 'too old') assert.ok(own.every((slot) => now - slot > missedWithin));
                if (reason === 'superseded' || reason === 'too many') {
                    assert.ok(own.every((slot) => now - slot <= missedWithin));
                }
                return own;
            });
            assert.deepEqual(recorded, rest);
        }),
        { numRuns: 1000 },
    );
});
