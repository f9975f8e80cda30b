import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MOST_SLOTS, previewDays } from '../../lib/schedule/preview.js';
import { createSchedule, type Schedule } from '../../lib/schedule/schedule.js';
import { formatMoment } from '../../lib/time/moment.js';

/** 2026-01-01 00:00:00 UTC */
const NEW_YEAR = 1_767_225_600;
const DAY = 86_400;

const preview = (schedules: Schedule[], from: number, to: number, timezone = 'UTC') =>
    previewDays(schedules, { from, to }, timezone).map(({ entries }) =>
        entries.map(({ schedule, first, last, count }) => [
            schedule.job,
            formatMoment(first, timezone),
            formatMoment(last, timezone).slice(11),
            count,
        ]),
    );

describe('a preview', () => {
    const daily = createSchedule('daily', ['0 2 * * *'], 'UTC');

    test('has its beginning in it, and its end not', () => {
        assert.equal(preview([daily], NEW_YEAR + 7200, NEW_YEAR + 7200 + DAY).length, 1);
        assert.equal(preview([daily], NEW_YEAR + 7201, NEW_YEAR + 7200 + DAY).length, 0);
    });

    test('counts one run where schedules of a job with equal args meet in one second', () => {
        const declared: [string, ...unknown[]][] = [
            ['*/5 * * * *', { a: 1, b: 2 }],
            ['0 * * * *', { b: 2, a: 1 }],
            ['CRON_TZ=Asia/Tokyo 2,5 9 * * *', { a: 1, b: 2 }],
            ['0 0 * * *', 'other'],
        ];
        const schedules = declared.map((declaration) => createSchedule('tidy', declaration, 'UTC'));
        const other = createSchedule('other', ['0 0 * * *', { a: 1, b: 2 }], 'UTC');
        assert.deepEqual(preview([...schedules, other], NEW_YEAR, NEW_YEAR + DAY), [
            [
                ['other', '2026-01-01 00:00:00', '00:00:00', 1],
                ['tidy', '2026-01-01 00:00:00', '23:55:00', 288],
                ['tidy', '2026-01-01 00:00:00', '00:00:00', 1],
                ['tidy', '2026-01-01 00:02:00', '00:02:00', 1],
            ],
        ]);
    });

    test('refuses more slots than anybody wants to see', () => {
        const everySecond = createSchedule('tick', ['* * * * * *'], 'UTC');
        assert.throws(
            () => preview([everySecond], NEW_YEAR, NEW_YEAR + MOST_SLOTS + 1),
            /more than 200,000 slots/,
        );
    });

    test('tells of all slots of all schedules, each on its local day, in order', () => {
        const texts = '30 2 * * *|0 */2 * * *|*/20 * * * *|0 0 1 * *|15 1,2 * * SUN';
        const crontab = fc.constantFrom(...texts.split('|'));
        const zone = fc.constantFrom('UTC', 'Europe/London', 'Australia/Lord_Howe', 'America/St_Johns');
        const schedules = fc.array(fc.tuple(crontab, zone), { minLength: 1, maxLength: 4 });
        const start = fc.integer({ min: NEW_YEAR, max: NEW_YEAR + 365 * DAY });
        const length = fc.integer({ min: 1, max: 6 * DAY });
        fc.assert(
            fc.property(schedules, zone, start, length, (declared, timezone, from, seconds) => {
                const all = declared.map(([text, own], index) => createSchedule(`job-${index}`, [text], own));
                const to = from + seconds;
                const expected = all.flatMap((schedule) => {
                    const days: string[] = [];
                    for (let slot = schedule.next(from - 1); slot && slot < to; slot = schedule.next(slot))
                        days.push(`${schedule.job} ${formatMoment(slot, timezone).slice(0, 10)}`);
                    return days;
                });
                const found: string[] = [];
                let before = Number.NEGATIVE_INFINITY;
                for (const { entries } of previewDays(all, { from, to }, timezone)) {
                    assert.ok(entries.length > 0);
                    for (const { schedule, first, last, count } of entries) {
                        const day = formatMoment(first, timezone).slice(0, 10);
                        assert.equal(formatMoment(last, timezone).slice(0, 10), day);
                        assert.ok(first >= before && (count > 12 || first === last));
                        before = first;
                        found.push(...Array(count).fill(`${schedule.job} ${day}`));
                    }
                }
                assert.deepEqual(found.sort(), expected.sort());
            }),
        );
    });
});
