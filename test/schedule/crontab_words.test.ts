import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nextSlot } from '../../lib/schedule/calendar.js';
import { plainCrontab } from '../../lib/schedule/crontab.js';
import { describeCrontab } from '../../lib/schedule/crontab_words.js';
import { crontabs } from '../support/crontab_arbitrary.js';

const EVERYDAY: Readonly<Record<string, string>> = {
    '* * * * *': 'Every minute',
    '*/5 * * * *': 'Every 5 minutes',
    '*/15 9-17 * * 1-5': 'Every 15 minutes, between 09:00 and 17:59, Monday through Friday',
    '0 * * * *': 'Every hour',
    '0 */2 * * *': 'On the hour, every 2 hours',
    '* 9-17 * * *': 'Every minute, between 09:00 and 17:59',
    '23 0-20/2 * * *': 'At 23 minutes past the hour, every 2 hours, between 00:00 and 20:59',
    '0 2 * * *': 'At 02:00, every day',
    '0 2,14 * * *': 'At 02:00 and 14:00, every day',
    '30 6 * * 1-5': 'At 06:30, Monday through Friday',
    '0 9 * * MON': 'At 09:00, only on Monday',
    '0 0 * * SAT,SUN': 'At 00:00, only on Saturday and Sunday',
    '0 0 * * FRI-SUN': 'At 00:00, Friday through Sunday',
    '0 9,17 * * 1,3,5': 'At 09:00 and 17:00, only on Monday, Wednesday, and Friday',
    '0 9 * * MON#1': 'At 09:00, on the first Monday of the month',
    '0 0 * * 5L': 'At 00:00, on the last Friday of the month',
    '0 4 8-14 * *': 'At 04:00, between day 8 and 14 of the month',
    '0 0 */2 * *': 'At 00:00, every 2 days in a month',
    '0 0 L * *': 'At 00:00, on the last day of the month',
    '0 0 LW * *': 'At 00:00, on the last weekday of the month',
    '0 0 15W * *': 'At 00:00, on the weekday nearest day 15 of the month',
    '0 0 1 */3 *': 'At 00:00, on day 1 of the month, every 3 months',
    '0 0 * JAN-MAR *': 'At 00:00, January through March',
    '* * * * * *': 'Every second',
    '*/10 * * * * *': 'Every 10 seconds',
};

const DOUBTFUL: Readonly<Record<string, string>> = {
    '0 0 ? * * *': 'Every hour',
    '0 0 * * 5l': 'At 00:00, on the last Friday of the month',
    '0 0 13 * 5': 'At 00:00, on day 13 of the month, and also on Friday',
    '0 0 13 * +5': 'At 00:00, on day 13 of the month, only on Friday',
    '0 0 1 * 1-3': 'At 00:00, on day 1 of the month, and also on Monday, Tuesday, and Wednesday',
    '0 0 1 * */3': 'At 00:00, on day 1 of the month, and also on Sunday, Wednesday, and Saturday',
    '0 0 13 * +5#2': 'At 00:00, on day 13 of the month, on the second Friday of the month',
    '0 0 13 * 5#2': '0 0 13 * 5#2',
    '0 0 1 * *,5': 'At 00:00, every day',
    '0 0 * * 0-6': 'At 00:00, every day',
    '0 0 * * SUN-SUN': 'At 00:00, only on Sunday',
    '0 0 * * */2': 'At 00:00, only on Sunday, Tuesday, Thursday, and Saturday',
    '0 0 * * 1-3L': 'At 00:00, on the last Monday, Tuesday, and Wednesday of the month',
    '0 0 * */6 *': 'At 00:00, only in January and July',
    '0 0 L,1 * *': 'At 00:00, on day 1 and the last day of the month',
    '0 0 1W,15W * *': '0 0 1W,15W * *',
    '*,5 2 * * *': 'Every minute, between 02:00 and 02:59',
    '*/45 * * * *': 'Every 45 minutes, minutes 0 through 59 past the hour',
    '*/20,5 * * * *': 'At 0, 5, 20, and 40 minutes past the hour',
    '*/60 * * * *': 'Every hour',
    '* 0 2 * * *': '* 0 2 * * *',
};

/** The spellings of each field, of which many mean the same, or nearly. */
const SECONDS = ['0', '*', '0-59', '30', '*/10', '0-50/10', '*/7', '0-10', '0,30', '*/30', '*,5', '59-59'];
const MINUTES = [...SECONDS, '*/5', '0-59/5', '0-54/5', '*/45', '0,45', '*/20,5', '*/60', '5-10,20', '5,6,7'];
const HOURS = split('0 * 2 2-2 */2 0-22/2 */5 0-23/5 9-17 9-17/2 2,14 0-6,22 */24');
const DAYS = '* ? 1 13 31 L l LW 15W 1W 31W 1,L 1-31 */1 */2 1-31/2 2-30/2 1-7 1-6 *,5 13-13 L,* */31';
const MONTHS = '* 1 JAN */2 1-11/2 1,3,5,7,9,11 */12 */5 1-3 1-12 JAN-MAR,7';
const WEEKDAYS =
    '* ? 5 FRI 5-5 +5 5l 5#2 +5#2 5#L 1-5 +1-5 MON-FRI 1,2,3,4,5 0-6 0-7 +* SUN 7 SUN-SUN 5-7 FRI-SUN 5,6,0 */2 ' +
    '0,2,4,6 1-7/2 *,5 1#1,2 1L,2 1-2L 1-5/2';

describe('the words for a crontab', () => {
    for (const [crontab, words] of Object.entries({ ...EVERYDAY, ...DOUBTFUL })) {
        test(`${crontab}: ${words}`, async () => assert.equal(await describeCrontab(crontab), words));
    }

    test('are never those for other slots', async () => {
        const alike = [
            ...product(['0 0'], split(DAYS), ['*', '1-3'], split(WEEKDAYS)),
            ...product(['0 0'], ['*', '1', 'L'], split(MONTHS), split(WEEKDAYS)),
            ...product(SECONDS, MINUTES, ['*', '2', '9-17'], ['* * *']),
            ...product(['0', '*', '30'], MINUTES, HOURS, ['* * *']),
        ];
        const byWords = new Map<string, string[]>();
        for (const crontab of [...alike, ...fc.sample(crontabs, 1000).map(({ text }) => text)]) {
            const words = await describeCrontab(crontab);
            byWords.set(words, [...(byWords.get(words) ?? []), crontab]);
        }
        for (const [words, same] of byWords) {
            const [first = '', ...others] = new Map(
                same.map((crontab) => [plainCrontab(crontab), crontab]),
            ).values();
            const slots = others.length > 0 ? sampledSlots(first) : [];
            for (const other of others) {
                assert.deepEqual(sampledSlots(other), slots, `"${words}" for ${first} and ${other}`);
            }
        }
    });

    test('are English, or the crontab itself', () => {
        const property = fc.asyncProperty(crontabs, async ({ text }) => {
            const words = await describeCrontab(text);
            if (words !== text) assert.match(words, ENGLISH);
        });
        return fc.assert(property, { numRuns: 1000 });
    });
});

const NAMES =
    'Sunday|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|January|February|March|April|May|June|July|August|' +
    'September|October|November|December';
const ENGLISH = new RegExp(
    `^(?:At|Every|On|Seconds|Minutes)(?: (?:${NAMES}|\\d+(?::\\d\\d){0,2}|at|every|on|only|in|a|the|also|and|between|` +
        'through|past|of|nearest|first|second|third|fourth|fifth|last|weekday|seconds?|minutes?|hours?|days?|months?),?)+$',
);

function split(text: string): string[] {
    return text.split(' ');
}

function product(...fields: readonly (readonly string[])[]): string[] {
    return fields.reduce<string[]>(
        (rows, field) => rows.flatMap((row) => field.map((text) => `${row} ${text}`.trim())),
        [''],
    );
}

/** The next slot after each of many moments of five years. */
function sampledSlots(crontab: string): (number | undefined)[] {
    const start = Date.UTC(2027, 0, 1) / 1000;
    return Array.from({ length: 8 }, (_, index) =>
        nextSlot(crontab, 'UTC', start + ((index * 7_654_321) % (5 * 366 * 86_400))),
    );
}
