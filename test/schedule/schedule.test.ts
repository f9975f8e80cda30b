import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSchedule } from '../../lib/schedule/schedule.js';

const utc = (text: string) => Date.parse(text) / 1000;
const iso = (second: number | undefined) =>
    second === undefined ? undefined : new Date(second * 1000).toISOString().replace('.000Z', 'Z');

function slotsOf(crontab: string, from: string, count: number, timezone = 'UTC'): (string | undefined)[] {
    const schedule = createSchedule('my-job', [crontab], timezone);
    const slots: (number | undefined)[] = [schedule.next(utc(from))];
    while (slots.length < count) slots.push(schedule.next(slots.at(-1) as number));
    return slots.map(iso);
}

describe('a schedule', () => {
    test('has its next slot strictly after a time, and its previous one strictly before it', () => {
        const schedule = createSchedule('my-job', ['*/5 * * * *'], 'UTC');
        const slot = utc('2026-01-01T10:05:00Z');
        assert.equal(schedule.next(slot - 1), slot);
        assert.equal(schedule.next(slot), slot + 300);
        assert.equal(schedule.next(slot + 0.5), slot + 300);
        assert.equal(schedule.previous(slot + 1), slot);
        assert.equal(schedule.previous(slot), slot - 300);
    });

    test('matches its slots only', () => {
        const schedule = createSchedule('my-job', ['30 6 * * 1-5'], 'UTC');
        const matches = (text: string) => schedule.matches(utc(text));
        const seconds = ['2026-01-02T06:30:00Z', '2026-01-02T06:30:01Z', '2026-01-03T06:30:00Z'];
        assert.deepEqual(seconds.map(matches), [true, false, false]);
    });

    const crontabs: [crontab: string, ...slots: string[]][] = [
        ['*/20 * * * * *', '01-01T00:00:20', '01-01T00:00:40'],
        ['0 0 * FEB MON', '02-02T00:00:00', '02-09T00:00:00'],
        ['0 0 * * fri-sun', '01-02T00:00:00', '01-03T00:00:00', '01-04T00:00:00'],
        [' TZ=Asia/Tokyo\t@daily ', '01-01T15:00:00'],
        ['@Monthly', '02-01T00:00:00'],
        ['0 0 LW * *', '01-30T00:00:00'],
        ['0 0 * * 5#2', '01-09T00:00:00'],
        ['0 0 * * FRIL', '01-30T00:00:00'],
        // A wildcard, and not the current time.
        ['0 0 1 * ?', '02-01T00:00:00', '03-01T00:00:00'],
        // On either day where both are restricted, and on both with a plus.
        ['0 0 13 * FRI', '01-02T00:00:00', '01-09T00:00:00', '01-13T00:00:00'],
        ['0 0 13 * +FRI', '02-13T00:00:00', '03-13T00:00:00', '11-13T00:00:00'],
    ];
    for (const [crontab, ...slots] of crontabs) {
        test(`reads ${crontab}`, () => {
            const expected = slots.map((slot) => `2026-${slot}Z`);
            assert.deepEqual(slotsOf(crontab, '2026-01-01T00:00:00Z', slots.length), expected);
        });
    }

    test('finds days that are years away', () => {
        assert.deepEqual(slotsOf('0 0 29 2 +MON', '2026-01-01T00:00:00Z', 2), [
            '2044-02-29T00:00:00Z',
            '2072-02-29T00:00:00Z',
        ]);
    });
});

test('the time zone of a schedule is its own before its default', () => {
    const schedule = createSchedule('my-job', ['CRON_TZ=Asia/Tokyo  0 9 * * *'], 'Europe/London');
    assert.equal(schedule.timezone, 'Asia/Tokyo');
    assert.equal(schedule.crontab, '0 9 * * *');
    assert.equal(iso(schedule.next(utc('2026-07-01T00:00:00Z'))), '2026-07-02T00:00:00Z');
});

describe('the key of a schedule', () => {
    const key = (job: string, declaration: [unknown, ...unknown[]], zone?: string) =>
        createSchedule(job, declaration, zone).key;

    test('is the same for the same job, crontab, zone and args, however they are written', () => {
        assert.equal(
            key('my-job', ['CRON_TZ=Asia/Tokyo 0  9 * * * ', { a: 1, b: [{ c: 2, d: 3 }] }]),
            key('my-job', [' 0 9 * * *', { b: [{ d: 3, c: 2 }], a: 1 }], 'Asia/Tokyo'),
        );
    });

    test('is another for another job, crontab, zone or args', () => {
        const keys = [
            key('my-job', ['0 9 * * *']),
            key('your-job', ['0 9 * * *']),
            key('my-job', ['0 8 * * *']),
            key('my-job', ['0 9 * * *'], 'UTC'),
            key('my-job', ['0 9 * * *', null]),
            key('my-job', ['0 9 * * *', 1]),
            key('my-job', ['0 9 * * *', '1']),
            key('my-job', ['0 9 * * *', 1, 1]),
            key('my-job', ['0 9 * * *', [1, 1]]),
        ];
        assert.equal(new Set(keys).size, keys.length);
    });
});

describe('a bad schedule', () => {
    // All reasons stand with the crontab, the time zone and the args.
    const bad: [what: string, declaration: unknown[], reason: RegExp, zone?: string][] = [
        ['has a bad crontab', ['60 * * * *'], /^"60 \* \* \* \*": minute 60 is out of range \(0-59\)$/],
        ['has none', [], /^undefined: a crontab is a string/],
        ['has an object for one', [{}], /^an object: a crontab is a string/],
        ['never fires', ['CRON_TZ=Asia/Tokyo 0 0 31 4,6,9,11 *'], /it never fires/],
        ['has no zone', ['CRON_TZ=Londn 0 2 * * *'], /^"CRON_TZ=.* \*": "Londn" is not a time zone \(did/],
        ['has no zone by default', ['0 2 * * *'], /"Mars\/Olympus" is not a time zone/, 'Mars/Olympus'],
        ['has bad args', ['0 2 * * *', 'x', { at: new Date(0) }], /^"0 2 \* \* \*": args\[1\]\.at is a Date/],
    ];
    for (const [what, declaration, message, zone] of bad) {
        test(what, () => {
            const read = () => createSchedule('my-job', declaration as [unknown], zone);
            assert.throws(read, { name: 'BadScheduleError', message });
        });
    }
});
