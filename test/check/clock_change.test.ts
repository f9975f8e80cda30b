import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { clockChange, clockChanges } from '../../lib/check/clock_change.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { changesOf, offsetAt, ZONES } from '../support/time_zone_oracle.js';

const DAY = 24 * 3600;
const FROM = Date.UTC(2026, 0, 1) / 1000;
const UNTIL = FROM + 366 * DAY;

const flawOf = (crontab: string, zone: string) =>
    clockChange(createSchedule('my-job', [crontab], zone), zone, FROM, UNTIL);

describe('a schedule and the clocks of its zone', () => {
    const told: readonly [crontab: string, zone: string, message: string, cure: string][] = [
        [
            '30 2 * * *',
            'Europe/Berlin',
            '02:30 does not exist on 2026-03-29: it runs at 03:00; 02:30 comes twice on 2026-10-25: it runs at the first',
            '02:00-03:00',
        ],
        [
            '30 1 * * *',
            'America/New_York',
            '01:30 comes twice on 2026-11-01: it runs at the first',
            '01:00-02:00',
        ],
        [
            '*/15 2 * * *',
            'Europe/Berlin',
            '02:00 does not exist on 2026-03-29: it does not run that day; 02:00 comes twice on 2026-10-25: it runs both times',
            '02:00-03:00',
        ],
        [
            '10 2 * * *',
            'Australia/Lord_Howe',
            '02:10 does not exist on 2026-10-04: it runs at 02:30',
            '02:00-02:30',
        ],
        [
            '30 23 28 3 *',
            'America/Godthab',
            '23:30 does not exist on 2026-03-28: it runs at 00:00 on 2026-03-29',
            '23:00-00:00',
        ],
    ];
    for (const [crontab, zone, message, hours] of told) {
        test(`${crontab} in ${zone}: ${message}`, () => {
            assert.deepEqual(flawOf(crontab, zone), {
                rule: 'clock-change',
                message: `in ${zone} ${message}`,
                cure: `move it out of ${hours}, or into a zone without such changes, like UTC`,
            });
        });
    }

    const silent: readonly [crontab: string, zone: string, why: string][] = [
        ['30 2 * * *', 'UTC', 'its clocks are never set'],
        ['30 2 * * *', 'Asia/Tokyo', 'its clocks are not set any more'],
        ['30 3 * * *', 'Europe/Berlin', 'that time is there once on every day'],
        ['30 2 * * 1', 'Europe/Berlin', 'clocks are set on Sundays'],
        ['*/5 * * * *', 'Europe/Berlin', 'it runs in other hours of that day, too'],
    ];
    for (const [crontab, zone, why] of silent) {
        test(`nothing is said of ${crontab} in ${zone}: ${why}`, () =>
            assert.equal(flawOf(crontab, zone), undefined));
    }

    test('a daily time is told of where it is not there once on each day', () => {
        fc.assert(
            fc.property(
                fc.constantFrom(...ZONES),
                fc.integer({ min: 0, max: 23 }),
                fc.integer({ min: 0, max: 59 }),
                (zone, hour, minute) => {
                    const wall = (hour * 60 + minute) * 60;
                    assert.equal(
                        flawOf(`${minute} ${hour} * * *`, zone) !== undefined,
                        changesOf(zone).some((at) => FROM < at && at <= UNTIL && isAffected(zone, at, wall)),
                        `${minute} ${hour} * * * in ${zone}`,
                    );
                },
            ),
            { numRuns: 300 },
        );
    });
});

test('clocks are set when an offset changes', () => {
    for (const zone of ZONES) {
        assert.deepEqual(
            clockChanges(zone, FROM, UNTIL).map(({ start, before, offset }) => [start, before, offset]),
            changesOf(zone)
                .filter((at) => FROM < at && at <= UNTIL)
                .map((at) => [at, offsetAt(zone, at - 1), offsetAt(zone, at)]),
            zone,
        );
    }
});

/** Whether a time of day lies between what the clocks show before and after they are set. */
function isAffected(zone: string, at: number, timeOfDay: number): boolean {
    const walls = [at + offsetAt(zone, at - 1), at + offsetAt(zone, at)];
    const [from, until] = [Math.min(...walls), Math.max(...walls)];
    const midnight = Math.floor(from / DAY) * DAY;
    return [midnight, midnight + DAY].some((day) => from <= day + timeOfDay && day + timeOfDay < until);
}
