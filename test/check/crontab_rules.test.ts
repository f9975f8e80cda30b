import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { flawsOfCrontab } from '../../lib/check/crontab_rules.js';
import type { Flaw } from '../../lib/check/finding.js';
import { BadScheduleError, createSchedule, type Schedule } from '../../lib/schedule/schedule.js';
import { crontabs } from '../support/crontab_arbitrary.js';

const YEAR = 366 * 24 * 3600;

const flawOf = (rule: string, crontab: string) => flawsOfCrontab(crontab).find((flaw) => flaw.rule === rule);

const FLAWED: Readonly<Record<string, readonly [crontab: string, message: string, cure: string][]>> = {
    'every-minute': [
        [
            '* * * * 5',
            'it runs every minute, all day, where the day of the week is 5',
            "for every 5 minutes write '*/5 * * * *', for once '0 0 * * 5'; if every minute is meant, '*/1 * * * 5'",
        ],
        [
            '* * * 2 *',
            'it runs every minute, all day, where the month is 2',
            "for every 2 minutes write '*/2 * * * *', for once '0 0 1 2 *'; if every minute is meant, '*/1 * * 2 *'",
        ],
        [
            '* 2 * * *',
            'it runs every minute of hour 2, not once',
            "for once write '0 2 * * *'; if every minute is meant, '*/1 2 * * *'",
        ],
        [
            '? */2 * * ?',
            'it runs every minute of each hour of */2, not once',
            "for once write '0 */2 * * *'; if every minute is meant, '*/1 */2 * * *'",
        ],
        [
            '* * 2 * * *',
            'it runs every second of hour 2, not once',
            "for once write '0 2 * * *'; if every second is meant, '*/1 * 2 * * *'",
        ],
        [
            '30 * 2 * * *',
            'it runs every minute of hour 2, not once',
            "for once write '30 0 2 * * *'; if every minute is meant, '30 */1 2 * * *'",
        ],
        [
            '0-59 2 * * *',
            'it runs every minute of hour 2, not once',
            "for once write '0 2 * * *'; if every minute is meant, '*/1 2 * * *'",
        ],
    ],
    'every-day': [
        [
            '0 0 * */2 *',
            'it runs on every day of each month of */2, not on one',
            "for the first day alone write '0 0 1 */2 *'; if every day is meant, '0 0 * 1,3,5,7,9,11 *'",
        ],
    ],
    'uneven-step': [
        [
            '0-59/7 * * * *',
            '0-59/7 starts over at each full hour, after a step of 4 minutes, not 7',
            'for equal steps write */6 or */10 minutes; list the minutes if this is meant',
        ],
        [
            '0 */5 * * *',
            '*/5 starts over at midnight, after a step of 4 hours, not 5',
            'for equal steps write */4 or */6 hours; list the hours if this is meant',
        ],
        [
            '*/59 * * * * *',
            '*/59 starts over at each full minute, after a step of 1 second, not 59',
            'for equal steps write */30 seconds; list the seconds if this is meant',
        ],
        [
            '0 0 */2 * *',
            '*/2 starts over on the 1st of each month, after an incomplete step',
            'list the days if this is meant',
        ],
        [
            '0 0 1 */5 *',
            '*/5 starts over in January, after a step of 2 months, not 5',
            'for equal steps write */4 or */6 months; list the months if this is meant',
        ],
        [
            '0 0 * * */2',
            '*/2 starts over on each Sunday, after a step of 1 day, not 2',
            'list the days if this is meant',
        ],
    ],
    'short-month': [
        [
            '0 0 31 * *',
            'it skips February, April, June, September and November, which have no day 31',
            "for the last day of the month write '0 0 L * *'; else choose a day up to 28",
        ],
        [
            '0 0 29 2 *',
            'it skips February, which has no day 29 outside of leap years',
            "for the last day of the month write '0 0 L 2 *'; else choose a day up to 28",
        ],
        [
            '0 0 31W * *',
            'it skips February, April, June, September and November, which have no day 31',
            "for the last weekday of the month write '0 0 LW * *'; else choose a day up to 28",
        ],
        ['0 0 15,30W * *', 'it skips February, which has no day 30', 'choose a day up to 28'],
    ],
    'either-day': [
        [
            '0 0 */2 * 1',
            'it runs if the day of the month is */2, and also if the day of the week is 1: either is enough',
            "if both have to match, write '0 0 */2 * +1'; else make it two schedules",
        ],
        [
            '0 0 31 2 FRI',
            'it runs if the day of the month is 31, and also if the day of the week is FRI: either is enough',
            'make it two schedules',
        ],
    ],
};

const SOUND: Readonly<Record<string, string>> = {
    'every-minute':
        '* * * * *|* * * * * *|*/5 * * * *|* 9-17 * * *|* * * * 1-5|* * 13 * 5|*/1 2 * * *|*/10 * 2 * * *|0 2 * * *|@daily|' +
        '* */1 * * *|*/1,5 2 * * *|* * 1-31 * 5',
    'every-day': '0 0 1 */2 *|0 0 * */2 5|0 0 * */1 *|0 0 * 1,3 *|0 0 L */3 *|@daily',
    'uneven-step': '*/5 * * * *|*/60 * * * *|0 */6 * * *|0 9-17/2 * * *|@weekly',
    'short-month':
        '0 0 28 * *|0 0 31 1 *|0 0 30 4,6 *|0 0 L * *|0 0 28W * *|0 0 31,L * *|0 0 25-31 * *|0 0 31 * 5|@monthly',
    'either-day': '0 0 13 * +5|0 0 13 * *|0 0 * * 5|0 0 ? * 5|@weekly',
};

describe('a crontab that is probably not meant', () => {
    for (const [rule, flawed] of Object.entries(FLAWED))
        for (const [crontab, message, cure] of flawed)
            test(`${rule}: ${crontab}`, () => {
                const flaw = flawOf(rule, crontab);
                assert.deepEqual([flaw?.message, flaw?.cure], [message, cure]);
            });

    test('each crontab that a cure offers can be read, and has that flaw no more', () => {
        fc.assert(
            fc.property(flawedCrontabs, ({ text }) => {
                for (const flaw of flawsOfCrontab(text)) {
                    for (const offered of offersOf(flaw)) {
                        createSchedule('my-job', [offered]);
                        const again = flawOf(flaw.rule, offered);
                        assert.equal(again, undefined, `${offered}, offered for ${text}`);
                    }
                }
            }),
            { numRuns: 300 },
        );
    });
});

describe('a crontab that is meant', () => {
    test('is offered with the same slots', () => {
        fc.assert(
            fc.property(flawedCrontabs, fc.integer({ min: 0, max: 10 * YEAR }), ({ text }, after) => {
                for (const flaw of flawsOfCrontab(text)) {
                    if (flaw.rule !== 'every-minute' && flaw.rule !== 'every-day') continue;
                    const meant = offersOf(flaw).at(-1);
                    const [one, other] = [text, meant].map((crontab) =>
                        createSchedule('my-job', [crontab], 'UTC'),
                    );
                    assert.equal(other?.next(after), one?.next(after), `${meant}, offered for ${text}`);
                }
            }),
            { numRuns: 300 },
        );
    });

    for (const [rule, sound] of Object.entries(SOUND)) {
        for (const crontab of sound.split('|')) {
            test(`${rule}: ${crontab}`, () => assert.equal(flawOf(rule, crontab), undefined));
        }
    }
});

describe('what the rules say is so', () => {
    test('a step is uneven where the slots of three hours are not equally far apart', () => {
        fc.assert(
            fc.property(fc.integer({ min: 1, max: 60 }), (step) => {
                const crontab = `*/${step} * * * *`;
                const slots = slotsOf(createSchedule('my-job', [crontab], 'UTC'), 0, 3 * 3600);
                const gaps = new Set(slots.slice(1).map((slot, index) => slot - (slots[index] as number)));
                assert.equal(flawOf('uneven-step', crontab) !== undefined, gaps.size > 1, crontab);
            }),
        );
    });

    test('months are skipped in which a year without leap day has no slot', () => {
        const [from, until] = [Date.UTC(2027, 0, 1) / 1000, Date.UTC(2028, 0, 1) / 1000];
        fc.assert(
            fc.property(
                fc.integer({ min: 1, max: 31 }),
                fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1 }),
                fc.constantFrom('', 'W', '-31'),
                (day, months, tail) => {
                    const crontab = `0 0 ${day}${tail} ${months.join(',')} *`;
                    const runs = neverFires(crontab)
                        ? new Set()
                        : new Set(
                              slotsOf(createSchedule('my-job', [crontab], 'UTC'), from - 1, until).map(
                                  (slot) => new Date(slot * 1000).getUTCMonth(),
                              ),
                          );
                    assert.equal(
                        flawOf('short-month', crontab) !== undefined,
                        runs.size < months.length,
                        crontab,
                    );
                },
            ),
        );
    });
});

/** Of any crontab few have a flaw: these have a star, a step or a late day more often. */
// A check applies its rules to what fires.
const flawedCrontabs = fc
    .oneof(
        crontabs,
        fc
            .tuple(
                fc.constantFrom('*', '* *', '0', '*/7', '30 *', '0-59', '*,5'),
                fc.constantFrom('*', '2', '2,14', '*/2', '9-17'),
                fc.constantFrom('*', '1', '13', '31', '31W', '15,30W', '30-31', '15,30', '*/2', 'L'),
                fc.constantFrom('*', '2', '*/5', '*/2', 'JAN,APR'),
                fc.constantFrom('*', '5', 'FRI', '1-5', '*/2'),
            )
            .map((fields) => ({ text: fields.join(' ') })),
    )
    .filter(({ text }) => !neverFires(text));

function offersOf({ cure }: Flaw): string[] {
    return [...cure.matchAll(/'([^']+)'/g)].map(([, offered]) => offered as string);
}

function neverFires(crontab: string): boolean {
    try {
        createSchedule('my-job', [crontab]);
        return false;
    } catch (error) {
        if (error instanceof BadScheduleError && error.fault === 'never-fires') return true;
        throw error;
    }
}

function slotsOf(schedule: Schedule, after: number, until: number): number[] {
    const slots: number[] = [];
    for (let slot = schedule.next(after); slot !== undefined && slot < until; slot = schedule.next(slot)) {
        slots.push(slot);
    }
    return slots;
}
