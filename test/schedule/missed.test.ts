import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
    decideSlots,
    type Gap,
    LATE_SECONDS,
    type MissedPolicy,
    MOST_CATCH_UPS,
    MOST_COUNTED,
    type SlotDecision,
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
const unrun = ({ unrun }: SlotDecision) => unrun.map(({ reason, count }) => `${count} ${reason}`);

describe('a stall of five seconds', () => {
    const gap = { after: DAY - 3, now: DAY + 2 };

    test('makes a slot late, which runs under every policy', () => {
        for (const missed of ['skip', 'once', 'all'] as const)
            assert.deepEqual(catchUp(daily, gap, within(missed)), { run: [DAY], unrun: [] });
    });

    test('leaves the earlier late slots to the policy', () => {
        assert.deepEqual(catchUp(everySecond, gap, within('skip')), {
            run: [DAY + 2],
            unrun: [{ reason: 'missed', count: 4, atLeast: false, first: DAY - 2, last: DAY + 1 }],
        });
        assert.deepEqual(unrun(catchUp(everySecond, gap, within('once'))), ['4 superseded']);
        const all = [-2, -1, 0, 1, 2].map((second) => DAY + second);
        assert.deepEqual(catchUp(everySecond, gap, within('all')).run, all);
    });

    test('runs the latest late slot however short missedWithin is', () => {
        const result = catchUp(everySecond, gap, within('all', 1));
        assert.deepEqual(result.run, [DAY + 1, DAY + 2]);
        assert.deepEqual(unrun(result), ['3 too old']);
        assert.deepEqual(catchUp(daily, gap, within('once', 0)).run, [DAY]);
    });
});

describe('eight hours of sleep across a daily slot', () => {
    const gap = { after: DAY - HOUR, now: DAY + 7 * HOUR };

    test('do not run it under the default, as it is older than an hour', () => {
        assert.deepEqual(catchUp(daily, gap, within('once')), {
            run: [],
            unrun: [{ reason: 'too old', count: 1, atLeast: false, first: DAY, last: DAY }],
        });
    });

    test('run it where missedWithin allows', () => {
        assert.deepEqual(catchUp(daily, gap, within('once', 7 * HOUR)), { run: [DAY], unrun: [] });
        assert.deepEqual(catchUp(daily, gap, within('all', 8 * HOUR)), { run: [DAY], unrun: [] });
        assert.deepEqual(catchUp(daily, gap, within('once', 7 * HOUR - 1)).run, []);
    });

    test('skip it under the policy skip', () => {
        assert.deepEqual(unrun(catchUp(daily, gap, within('skip', DAY))), ['1 missed']);
    });

    test('run the latest slot of an every-minute schedule once', () => {
        const result = catchUp(everyMinute, { ...gap, now: gap.now + 30 }, within('once'));
        assert.deepEqual(result.run, [gap.now]);
        assert.deepEqual(unrun(result), ['420 too old', '59 superseded']);
    });

    test('run the latest hundred at most under the policy all', () => {
        const result = catchUp(everyMinute, { ...gap, now: gap.now + 30 }, within('all', 3 * HOUR));
        assert.equal(result.run.length, MOST_CATCH_UPS);
        assert.equal(result.run.at(-1), gap.now);
        assert.deepEqual(unrun(result), ['300 too old', '80 too many']);
    });
});

test('a gap without slots has nothing to catch up', () => {
    for (const missed of ['skip', 'once', 'all'] as const) {
        assert.deepEqual(catchUp(daily, { after: 10, now: DAY - 1 }, within(missed)), { run: [], unrun: [] });
        assert.deepEqual(catchUp(daily, { after: DAY, now: DAY }, within(missed)), { run: [], unrun: [] });
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
