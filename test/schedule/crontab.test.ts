import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Cron } from 'croner';
import fc from 'fast-check';
import { BadScheduleError } from '../../lib/schedule/bad_schedule_error.js';
import { plainCrontab, readCrontab } from '../../lib/schedule/crontab.js';
import { FIELD_NAMES } from '../../lib/schedule/crontab_field.js';

describe('a crontab', () => {
    test('has Sundays, however they are written', () => {
        for (const text of 'SUN 7 SUN-SUN sun-sun 0-SUN 7-SUN SUN-0 SUN-7 0-0 7-7 SUN-SUN/2'.split(' '))
            assert.deepEqual(readCrontab(`0 0 * * ${text}`).dayOfWeek.values, [0], text);
        assert.equal(readCrontab('0 0 * * 0-7').dayOfWeek.isFull, true);
        assert.deepEqual(readCrontab('0 0 * * SAT-SUN').dayOfWeek.values, [0, 6]);
    });

    test('is read by croner, whatever it is', () => {
        fc.assert(
            fc.property(nearlyCrontabs, (text) => {
                const reason = reasonAgainst(text);
                if (reason === undefined) return void new Cron(plainCrontab(text), { mode: '6-part' });
                assert.doesNotMatch(reason, /CronPattern|illegal|[Ii]nvalid|\bNaN\b|undefined|null/, text);
            }),
            { numRuns: 5000 },
        );
    });
});

describe('the reason against a crontab', () => {
    const reasons: [crontab: string, reason: string | RegExp][] = [
        ['', /^it is empty: a crontab has five fields/],
        ['every 5 minutes', /^it has 3 fields: a crontab has five fields/],
        ['0 0 1 1 * 2026 *', /^it has 7 fields: .* none for years/],
        ['0 0 1 1 * 2026', /^its last field is a year \(2026\): .* none for years/],
        [
            'cron_tz=Asia/Tokyo 0 2 * * *',
            '"cron_tz=Asia/Tokyo" does not set a time zone: write CRON_TZ=Asia/Tokyo in front, in capitals and without spaces',
        ],
        ['Tz = UTC 0 2 * * *', /^"Tz = UTC" does not set a time zone: write CRON_TZ=UTC in front/],
        ['2026-01-01T00:00:00', /^it looks like a date or a time, and a schedule repeats/],
        ['@reboot', /^@reboot is not a time/],
        ['@fortnightly', /^unknown nickname: there are @yearly, .*@hourly$/],
        ['60 * * * * *', 'second 60 is out of range (0-59)'],
        ['60 * * * *', 'minute 60 is out of range (0-59)'],
        ['* * 32W * *', 'day of the month 32 is out of range (1-31)'],
        ['* * * * 8', 'day of the week 8 is out of range (0-7)'],
        ['* * * * 9L', 'day of the week 9 is out of range (0-7)'],
        ['1-75 * * * *', 'minute 75 is out of range (0-59)'],
        ['1,,2 * * * *', 'its minute field has a comma too many'],
        ['* 22-6 * * *', 'hour 22-6 runs backwards: write 22-23,0-6'],
        ['* 22-2/2 * * *', 'hour 22-2/2 runs backwards: write 22,0-2/2'],
        ['* * * * FRI-TUE', 'day of the week FRI-TUE runs backwards: write FRI-SAT,SUN-TUE'],
        ['* * * * SAT-MON#1', 'day of the week SAT-MON#1 runs backwards: write SAT#1,SUN-MON#1'],
        ['* * * * 7-5', 'day of the week 7-5 runs backwards: write 0-5'],
        ['5/15 * * * *', 'minute 5/15 needs a range before its slash: write 5-59/15'],
        ['* * * * MON/2', 'day of the week MON/2 needs a range before its slash: write MON-SAT/2'],
        ['/15 * * * *', 'minute /15 needs something before its slash: write */15'],
        ['*/0 * * * *', 'minute */0 needs a whole number above 0 after its slash'],
        ['*/5/2 * * * *', 'minute */5/2 needs a whole number above 0 after its slash'],
        ['*/90 * * * *', 'minute */90 steps beyond the range of the field (0-59)'],
        ['* * * * */8', 'day of the week */8 steps beyond the range of the field (0-7)'],
        ['* * * FOO *', '"FOO" is not a valid month: write 1-12, JAN-DEC'],
        ['-1 * * * *', '"-1" is not a valid minute: write 0-59'],
        ['* 5L * * *', '"5L" is not a valid hour: write 0-23'],
        [
            '* * L-3 * *',
            '"L-3" is not a valid day of the month: write 1-31, L (the last), LW (the last weekday) or 15W (the weekday nearest to the 15th)',
        ],
        ['* * 1-5W * *', /^"1-5W" is not a valid day of the month: /],
        ['* * 1,LW * *', 'day of the month LW has to stand alone: make it two schedules'],
        [
            '* * * * 5#6',
            '"5#6" is not a valid day of the week: write 0-7, SUN-SAT, 5#2 (the second Friday) or 5L (the last one)',
        ],
        ['* * * * *#1', /^"\*#1" is not a valid day of the week: /],
    ];
    for (const [crontab, reason] of reasons) {
        test(`"${crontab}": ${reason}`, () => {
            const found = reasonAgainst(crontab) ?? 'it is good';
            if (typeof reason === 'string') assert.equal(found, reason);
            else assert.match(found, reason);
        });
    }

    test('is none where it can be read, as all that is offered can', () => {
        const good =
            '*/5 0-6,22 L,15W JAN-MAR MON#2|? * LW * +FRI|0 0 0 1 1 7|* * * * 5L,SUN|* */5 * * * *|* * * * */2#1|@DAILY|' +
            '* * 1-31,L * *|* * LW * *|* * 15W JAN-DEC *|* * * 1-12 0-7|* * * * SUN-SAT,5#2,5L';
        for (const crontab of good.split('|')) assert.equal(reasonAgainst(crontab), undefined);
    });

    test('says what to write for a range that runs backwards, or a step without a range', () => {
        fc.assert(
            fc.property(unrolledItems, ({ place, item, values }) => {
                const texts = ['0', '0', '0', '1', '1', '1'].with(place, item);
                const advice = / write (.+)$/.exec(reasonAgainst(texts.join(' ')) ?? '')?.[1] ?? '';
                const read = readCrontab(texts.with(place, advice).join(' '));
                const field = read[FIELD_NAMES[place] ?? 'second'];
                assert.deepEqual(
                    field.values,
                    [...values].sort((a, b) => a - b),
                    `${advice}, for ${item}`,
                );
            }),
        );
    });
});

function reasonAgainst(crontab: string): string | undefined {
    try {
        readCrontab(crontab);
        return undefined;
    } catch (error) {
        assert.ok(error instanceof BadScheduleError, String(error));
        return error.message;
    }
}

const ofWords = (words: string) => fc.constantFrom(...words.split(' '));

/** Fields of which each is good or bad by chance, made of what stands in crontabs. */
const nearlyCrontabs = fc
    .array(
        fc.oneof(
            { arbitrary: ofWords('* 5 1-5 */2'), weight: 3 },
            { arbitrary: ofWords('? *,L LW 15W 5#2 FRIL +FRI-SUN SUN-7 */7 7-5 31 JAN'), weight: 1 },
            {
                arbitrary: fc
                    .array(
                        ofWords(
                            '* ? 0 1 5 7 12 31 59 60 SUN mon DEC L l W w #1 #6 #L #01 - - / /2 /8 /0 , + -SUN x . @',
                        ),
                        { minLength: 1, maxLength: 4 },
                    )
                    .map((parts) => parts.join('')),
                weight: 1,
            },
        ),
        { minLength: 5, maxLength: 6 },
    )
    .map((fields) => fields.join(' '));

/** The place of a field, an item that no range of croner's can be, and the values that its author means by it. */
const unrolledItems = fc
    .constantFrom<[place: number, low: number, size: number]>(
        [0, 0, 60],
        [1, 0, 60],
        [2, 0, 24],
        [3, 1, 31],
        [4, 1, 12],
        [5, 0, 7],
    )
    .chain(([place, low, size]) => {
        const value = fc.integer({ min: 0, max: size - 1 });
        return fc
            .tuple(value, value, fc.integer({ min: 1, max: size }), fc.boolean())
            .map(([a, b, step, isOpen]) => {
                const [from, to] = a > b ? [a, b] : [b || 1, a === b ? 0 : a];
                const end = isOpen ? size - 1 : to + size;
                const item = isOpen
                    ? `${low + a}/${step}`
                    : `${low + from}-${low + to}${step > 1 ? `/${step}` : ''}`;
                const values = new Set<number>();
                for (let at = isOpen ? a : from; at <= end; at += step) values.add(low + (at % size));
                return { place, item, values };
            });
    });
