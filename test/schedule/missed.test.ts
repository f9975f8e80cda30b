import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
    catchUp,
    LATE_SECONDS,
    type MissedPolicy,
    MOST_CATCH_UPS,
    MOST_COUNTED,
} from '../../lib/schedule/missed.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { periodic } from '../support/periodic_schedule.js';

// How a stall and a sleep look to a bot stands in scenarios/clock.test.ts.
const HOUR = 3600;
const DAY = 24 * HOUR;
const daily = periodic('daily', DAY, 0);
const everySecond = periodic('every-second', 1, 0);

const within = (missed: MissedPolicy, missedWithin = HOUR) => ({ missed, missedWithin });

test('a gap without slots has nothing to catch up', () => {
    for (const missed of ['skip', 'once', 'all'] as const) {
        assert.deepEqual(catchUp(daily, { after: 10, now: DAY - 1 }, within(missed)), { run: [], unrun: [] });
        assert.deepEqual(catchUp(daily, { after: DAY, now: DAY }, within(missed)), { run: [], unrun: [] });
    }
});

test('a year of seconds is counted no further than it is worth', () => {
    let asked = 0;
    const schedule = {
        next: (after: number) => {
            asked++;
            return everySecond.next(after);
        },
        previous: everySecond.previous,
    };
    const result = catchUp(schedule, { after: 0, now: 365 * DAY }, within('once'));
    assert.deepEqual(result, {
        run: [365 * DAY],
        unrun: [
            { reason: 'too old', count: MOST_COUNTED, atLeast: true, first: 1, last: 365 * DAY - HOUR - 1 },
            {
                reason: 'superseded',
                count: MOST_COUNTED,
                atLeast: true,
                first: 365 * DAY - HOUR,
                last: 365 * DAY - 1,
            },
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
    const [after, now] = ['2026-03-29T00:00:00Z', '2026-03-29T03:00:00Z'].map(
        (text) => Date.parse(text) / 1000,
    );
    const result = catchUp(schedule, { after: after ?? 0, now: now ?? 0 }, within('all', DAY));
    assert.deepEqual(
        result.run.map((slot) => new Date(slot * 1000).toISOString()),
        ['2026-03-29T01:00:00.000Z'],
    );
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
