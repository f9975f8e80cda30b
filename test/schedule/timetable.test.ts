import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Schedule } from '../../lib/schedule/schedule.js';
import { Timetable } from '../../lib/schedule/timetable.js';
import { periodic } from '../support/periodic_schedule.js';

const keys = (schedules: Iterable<Schedule>) => [...schedules].map(({ key }) => key);

/** A timetable with these schedules, at time 0. */
function timetableOf(...schedules: Schedule[]): Timetable {
    const timetable = new Timetable(0);
    for (const name of new Set(schedules.map(({ job }) => job))) {
        timetable.replace(
            name,
            schedules.filter(({ job }) => job === name),
        );
    }
    return timetable;
}

test('a schedule that has no slot any more is not waited for', () => {
    assert.equal(new Timetable(0).next, undefined);
    assert.equal(timetableOf({ ...periodic('a', 2, 0), next: () => undefined }).next, undefined);
});

test('a timetable does what looking at every schedule each second would', () => {
    const jobs = ['a', 'B', 'c-d', 'c', 'é'];
    const schedules = fc.array(fc.tuple(fc.constantFrom(1, 2, 3, 5, 8, 60), fc.nat(7), fc.nat(1)), {
        maxLength: 4,
    });
    const step = fc.oneof(
        { arbitrary: fc.record({ tick: fc.constant(true) }), weight: 6 },
        { arbitrary: fc.record({ ask: fc.integer({ min: -50, max: 200 }) }), weight: 2 },
        { arbitrary: fc.record({ job: fc.constantFrom(...jobs), set: schedules }), weight: 3 },
        { arbitrary: fc.record({ seek: fc.integer({ min: -30, max: 90 }) }), weight: 1 },
    );
    fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
            let cursor = 0;
            const timetable = new Timetable(cursor);
            const all = new Map<string, Schedule[]>();
            const inOrder = () => [...all].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, own]) => own);
            const dueAt = (second: number) => keys(inOrder().filter((schedule) => schedule.matches(second)));
            for (const step of steps) {
                if ('tick' in step) assert.deepEqual(keys(timetable.due(cursor + 1)), dueAt(++cursor));
                else if ('ask' in step) {
                    assert.deepEqual(keys(timetable.due(step.ask)), dueAt(step.ask));
                    if (step.ask === cursor + 1) cursor++;
                } else if ('seek' in step) {
                    cursor += step.seek;
                    timetable.seek(cursor);
                } else {
                    const own = step.set.map(([period, rest, arg]) =>
                        periodic(step.job, period, rest % period, arg),
                    );
                    timetable.replace(step.job, own);
                    all.set(
                        step.job,
                        own.filter(({ key }, index) => keys(own).indexOf(key) === index),
                    );
                }
                assert.deepEqual(keys(timetable.schedules), keys(inOrder()));
                const slots = inOrder().map((schedule) => schedule.next(cursor) ?? Number.POSITIVE_INFINITY);
                assert.equal(timetable.next, slots.length > 0 ? Math.min(...slots) : undefined);
                assert.deepEqual(keys(timetable.peek(cursor + 1)), dueAt(cursor + 1));
                const until = cursor + 4;
                assert.deepEqual(
                    keys(timetable.passed(until)),
                    keys(inOrder().filter((one) => (one.next(cursor) ?? 0) <= until)),
                );
            }
        }),
        { numRuns: 300 },
    );
});
