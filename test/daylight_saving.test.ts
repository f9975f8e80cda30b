import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BadScheduleError, createSchedule, type Schedule } from '../lib/schedule/schedule.js';
import { crontabs } from './support/crontab_arbitrary.js';
import { type Crontab, slotsOf } from './support/crontab_oracle.js';
import { changesOf, offsetAt, ZONES } from './support/time_zone_oracle.js';

const HOUR = 3600;
const DAY = 24 * HOUR;

// For a longer search: RUNS=50 SEED=$RANDOM node --test dist/test/daylight_saving.test.js
const RUNS = Number(process.env['RUNS'] ?? 3);
const SEED = Number(process.env['SEED'] ?? 1);

const seconds = (text: string) => Date.parse(text) / 1000;
const iso = (second: number | undefined) =>
    new Date((second ?? Number.NaN) * 1000).toISOString().replace('.000Z', 'Z');

/** The slots of a crontab from one time up to and with another. */
function slotsBetween(crontab: string, zone: string | undefined, from: string, to: string): string[] {
    const schedule = createSchedule('my-job', [crontab], zone);
    const slots: string[] = [];
    for (let slot = schedule.next(seconds(from) - 1); slot !== undefined && slot <= seconds(to); ) {
        slots.push(iso(slot));
        slot = schedule.next(slot);
    }
    return slots;
}

/** Compares a schedule with the oracle at a change of the clocks and a day and a half to both sides. */
function checkAgainstOracle(
    crontab: Crontab,
    zone: string,
    change: number,
    somewhere: readonly number[],
): void {
    const schedule = scheduleOf(crontab, zone);
    if (schedule === undefined) return;
    const [from, to] = [change - 1.5 * DAY, change + 1.5 * DAY];
    const slots = slotsOf(crontab, zone, from, to);
    const near = slots.filter((slot) => Math.abs(slot - change) < 2 * HOUR);
    const at = [change, change - HOUR, ...near.slice(0, 4), ...near.slice(-4), ...slots.slice(0, 2)];
    const within = (slot: number | undefined) =>
        slot !== undefined && slot >= from && slot <= to ? iso(slot) : undefined;
    const times = [...at.flatMap((time) => [time - 1, time]), ...somewhere.map((offset) => from + offset)];
    for (const second of times) {
        const where = `${crontab.text} in ${zone} at ${iso(second)}`;
        const next = slots.find((slot) => slot > second);
        assert.equal(within(schedule.next(second)), within(next), where);
        const previous = slots.findLast((slot) => slot < second);
        assert.equal(within(schedule.previous(second)), within(previous), `before ${where}`);
    }
}

function scheduleOf(crontab: Crontab, zone: string): Schedule | undefined {
    try {
        return createSchedule('my-job', [crontab.text], zone);
    } catch (error) {
        if (error instanceof BadScheduleError && /never fires/.test(error.message)) return undefined;
        throw error;
    }
}

/** A change of a zone's clocks, or any time where they never change. */
function changeIn(zone: string): fc.Arbitrary<number> {
    const changes = changesOf(zone);
    if (changes.length > 0) return fc.constantFrom(...changes);
    return fc.integer({ min: seconds('1995-01-01T00:00:00Z'), max: seconds('2037-01-01T00:00:00Z') });
}

const somewhere = fc.array(fc.nat(3 * DAY), { minLength: 4, maxLength: 4 });

function agreesWithOracle(zone: string, change: fc.Arbitrary<number>, numRuns: number): void {
    fc.assert(
        fc.property(crontabs, change, somewhere, (crontab, at, offsets) => {
            checkAgainstOracle(crontab, zone, at, offsets);
        }),
        { numRuns, seed: SEED },
    );
}

describe('next() and previous() agree with looking at every second', () => {
    for (const region of new Set(ZONES.map((zone) => zone.split('/')[0]))) {
        const zones = ZONES.filter((zone) => zone.startsWith(`${region}/`) || zone === region);
        test(`in ${zones.length} zones of ${region}`, () => {
            for (const zone of zones) agreesWithOracle(zone, changeIn(zone), RUNS);
        });
    }

    const special: [zone: string, change: string | undefined, why: string][] = [
        ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', 'back by half an hour'],
        ['Australia/Lord_Howe', '2026-10-03T15:30:00Z', 'forward by half an hour'],
        ['Pacific/Chatham', '2026-04-04T14:00:00Z', 'back, at an offset of 13:45'],
        ['Pacific/Chatham', '2026-09-26T14:00:00Z', 'forward, at an offset of 12:45'],
        ['Pacific/Apia', '2011-12-30T10:00:00Z', 'over a whole day'],
        ['America/Godthab', '2026-03-29T01:00:00Z', 'forward, to midnight'],
        ['America/Nuuk', '2027-03-28T01:00:00Z', 'forward, to midnight'],
        ['Asia/Pyongyang', '2018-05-04T15:00:00Z', 'forward by half an hour, to midnight'],
        ['Africa/Cairo', '2026-04-23T22:00:00Z', 'forward, from midnight'],
        ['America/Havana', '2026-11-01T05:00:00Z', 'back, to midnight'],
        ['America/Boa_Vista', '2000-10-15T03:00:00Z', 'back, a week after they went forward'],
        ['Asia/Tokyo', undefined, 'never'],
        ['UTC', undefined, 'never'],
    ];
    for (const [zone, change, why] of special) {
        test(`in ${zone}, where clocks change ${why}`, () => {
            const at = change === undefined ? seconds('2026-03-29T01:00:00Z') : seconds(change);
            assert.equal(offsetAt(zone, at) !== offsetAt(zone, at - 1), change !== undefined);
            agreesWithOracle(zone, fc.constant(at), 15 * RUNS);
        });
    }
});

describe('a fixed time', () => {
    const overMidnight: [crontab: string, why: string, slots: string[]][] = [
        ['30 23 * * *', 'daily', ['2027-03-28T01:00:00Z', '2027-03-29T00:30:00Z']],
        ['30 23 * * SAT', 'on that weekday', ['2027-03-28T01:00:00Z']],
        ['30 23 * * SAT#4', 'on that weekday of the month', ['2027-03-28T01:00:00Z']],
        ['30 23 27W * *', 'on another day, which is the nearest weekday', []],
        [
            '5,10 0,23 27 3 *',
            'in a list',
            ['2027-03-27T02:05:00Z', '2027-03-27T02:10:00Z', '2027-03-28T01:00:00Z'],
        ],
        ['59 59 23 27-28 3 *', 'with seconds', ['2027-03-28T01:00:00Z', '2027-03-29T00:59:59Z']],
        ['0 0,23 * * SAT', 'beside one that exists', ['2027-03-27T02:00:00Z', '2027-03-28T01:00:00Z']],
    ];
    for (const [crontab, why, slots] of overMidnight) {
        test(`in a gap up to midnight runs at the first valid time of the next day: ${crontab}, ${why}`, () => {
            const [from, to] = ['2027-03-27T02:00:00Z', '2027-03-29T01:59:59Z'];
            assert.deepEqual(slotsBetween(crontab, 'America/Nuuk', from, to), slots);
        });
    }

    test('on either side of midnight in one gap runs once, at its end', () => {
        // In 1919 Toronto went from 23:30 to 00:30.
        const [from, to] = ['1919-03-30T06:00:00Z', '1919-04-01T03:59:59Z'];
        for (const crontab of ['45 23 * * *', '15 0 * * MON', '45,15 23,0 31 3 *'])
            assert.deepEqual(slotsBetween(crontab, 'America/Toronto', from, to).slice(0, 1), [
                '1919-03-31T04:30:00Z',
            ]);
    });
});

/** A crontab, its zone, two times in UTC, and the slots between them. */
const AROUND_CHANGES = {
    'a fixed time in the gap runs at the first valid time after it':
        '30 1 * * * | Europe/London | 2026-03-28T12:00 2026-03-30T12:00 | 2026-03-29T01:00 2026-03-30T00:30',
    'all fixed times in the gap run once, with one that is at its end':
        '0,20,40 1,2 * * * | Europe/London | 2026-03-29T00:00 2026-03-29T12:00 | 2026-03-29T01:00 2026-03-29T01:20 2026-03-29T01:40',
    'a fixed time that is repeated runs the first time only':
        '30 1 * * * | Europe/London | 2026-10-25T00:00 2026-10-26T12:00 | 2026-10-25T00:30 2026-10-26T01:30',
    'a fixed time does not run on a day that does not exist':
        '0 12 * * * | Pacific/Apia | 2011-12-29T00:00 2012-01-01T00:00 | 2011-12-29T22:00 2011-12-30T22:00 2011-12-31T22:00',
    'an interval skips the hour that does not exist':
        '*/30 * * * * | Europe/London | 2026-03-29T00:30 2026-03-29T01:30 | 2026-03-29T00:30 2026-03-29T01:00 2026-03-29T01:30',
    'an interval within the hour that does not exist does not run':
        '*/30 1 * * * | Europe/London | 2026-03-29T00:00 2026-03-29T23:00 | ',
    'an interval runs through both of the repeated hours':
        '*/30 1 * * * | Europe/London | 2026-10-25T00:00 2026-10-25T23:00 | 2026-10-25T00:00 2026-10-25T00:30 2026-10-25T01:00 2026-10-25T01:30',
    'an interval runs through half an hour twice where that is repeated':
        '*/15 1 * * * | Australia/Lord_Howe | 2026-04-04T14:00 2026-04-04T16:00 | 2026-04-04T14:00 2026-04-04T14:15 2026-04-04T14:30 2026-04-04T14:45 2026-04-04T15:00 2026-04-04T15:15',
};

describe('around a change of the clocks', () => {
    for (const [what, expected] of Object.entries(AROUND_CHANGES)) {
        test(what, () => {
            const [crontab = '', zone, stretch = '', slots] = expected.split(' | ');
            const [from, to] = stretch.split(' ');
            const found = slotsBetween(crontab, zone, `${from}:00Z`, `${to}:00Z`);
            assert.equal(found.join(' ').replaceAll(':00Z', ''), slots);
        });
    }
});

describe("the process's zone", () => {
    const own = process.env['TZ'];
    const zones =
        'Europe/London America/New_York Australia/Lord_Howe Pacific/Chatham Africa/Cairo America/Nuuk';
    for (const zone of zones.split(' ')) {
        test(`has the slots of ${zone} when it is that`, () => {
            process.env['TZ'] = zone;
            try {
                fc.assert(
                    fc.property(crontabs, changeIn(zone), somewhere, (crontab, change, offsets) => {
                        const named = scheduleOf(crontab, zone);
                        if (named === undefined) return;
                        const unnamed = createSchedule('my-job', [crontab.text]);
                        for (const offset of [0, 1, 3600, 7200, ...offsets]) {
                            const second = change - 3600 + offset;
                            assert.equal(unnamed.next(second), named.next(second));
                            assert.equal(unnamed.previous(second), named.previous(second));
                        }
                    }),
                    { numRuns: 15 * RUNS, seed: SEED },
                );
            } finally {
                if (own === undefined) delete process.env['TZ'];
                else process.env['TZ'] = own;
            }
        });
    }
});

// When one of these fails, croner has changed: take it off the list, and the oracle will hold it to the rule.
describe('croner still departs from the rule', () => {
    test('of Vixie cron, in that a step in a day field restricts it, so that either day is enough', () => {
        const slots = slotsBetween('0 0 */10 * MON', 'UTC', '2026-01-01T00:00:00Z', '2026-01-12T00:00:00Z');
        assert.deepEqual(
            slots.map((slot) => slot.slice(8, 10)),
            ['01', '05', '11', '12'],
        );
    });
});
