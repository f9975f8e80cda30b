import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { badField, misshape, splitTimezone } from '../../lib/schedule/crontab.js';

describe('splitTimezone', () => {
    test('takes the zone off the front', () => {
        assert.deepEqual(splitTimezone('CRON_TZ=Europe/London 0 2 * * *'), {
            crontab: '0 2 * * *',
            timezone: 'Europe/London',
        });
        assert.deepEqual(splitTimezone(' TZ=UTC\t@daily '), { crontab: '@daily', timezone: 'UTC' });
        assert.deepEqual(splitTimezone('  0   2 * *\n* '), { crontab: '0 2 * * *', timezone: undefined });
        assert.deepEqual(splitTimezone('TZ= 0 2 * * *'), { crontab: '0 2 * * *', timezone: '' });
    });
});

describe('misshape', () => {
    const cases: [crontab: string, reason: RegExp | undefined][] = [
        ['*/5 * * * *', undefined],
        ['* */5 * * * *', undefined],
        ['@daily', undefined],
        ['@DAILY', undefined],
        ['', /^it is empty: a crontab has five fields/],
        ['every 5 minutes', /^it has 3 fields: a crontab has five fields/],
        ['noon', /^it has 1 field: /],
        ['0 0 1 1 * 2026 *', /^it has 7 fields: .* none for years/],
        ['2026-01-01T00:00:00', /^it looks like a date or a time, and a schedule repeats/],
        ['06:30', /^it looks like a date or a time/],
        ['@reboot', /^@reboot has no times to run at/],
        ['@fortnightly', /^unknown nickname: there are @yearly, .*@hourly$/],
    ];
    for (const [crontab, reason] of cases) {
        test(`${reason ? 'refuses' : 'accepts'} "${crontab}"`, () => {
            if (reason) assert.match(misshape(crontab) ?? '', reason);
            else assert.equal(misshape(crontab), undefined);
        });
    }
});

describe('badField', () => {
    const reasons: Record<string, string> = {
        '60 * * * * *': 'second 60 is out of range (0-59)',
        '60 * * * *': 'minute 60 is out of range (0-59)',
        '* 24 * * *': 'hour 24 is out of range (0-23)',
        '* * 0 * *': 'day of the month 0 is out of range (1-31)',
        '* * 32W * *': 'day of the month 32 is out of range (1-31)',
        '* * * 13 *': 'month 13 is out of range (1-12)',
        '* * * * 8': 'day of the week 8 is out of range (0-7)',
        '* * * * 9L': 'day of the week 9 is out of range (0-7)',
        '1-75 * * * *': 'minute 75 is out of range (0-59)',
        '* * * * +9': 'day of the week 9 is out of range (0-7)',
        '1,,2 * * * *': 'its minute field has a comma too many',
        '* 22-6 * * *': 'hour 22-6 runs backwards: write 22-23,0-6',
        '* * * * FRI-TUE': 'day of the week FRI-TUE runs backwards: write FRI-SAT,SUN-TUE',
        '5/15 * * * *': 'minute 5/15 needs a range before its slash: write 5-59/15',
        '/15 * * * *': 'minute /15 needs something before its slash: write */15',
        '*/0 * * * *': 'minute */0 needs a whole number above 0 after its slash',
        '*/x * * * *': 'minute */x needs a whole number above 0 after its slash',
        '*/90 * * * *': 'minute */90 steps further than the field goes (0-59)',
        '* * * FOO *': '"FOO" is no month: write 1-12, JAN-DEC',
        '-1 * * * *': '"-1" is no minute: write 0-59',
        '1.5 * * * *': '"1.5" is no minute: write 0-59',
        '* 5L * * *': '"5L" is no hour: write 0-23',
        '* * L-3 * *':
            '"L-3" is no day of the month: write 1-31, L (the last), LW (the last weekday) or 15W (the weekday nearest to the 15th)',
        '* * * * 5#6':
            '"5#6" is no day of the week: write 0-7, SUN-SAT, 5#2 (the second Friday) or 5L (the last one)',
    };
    for (const [crontab, reason] of Object.entries(reasons)) {
        test(`finds that in "${crontab}" ${reason}`, () => assert.equal(badField(crontab), reason));
    }

    test('finds nothing wrong with what can be read', () => {
        for (const crontab of [
            '*/5 0-6,22 L,15W JAN-MAR MON#2',
            '? * LW * +FRI',
            '0 0 0 1 1 7',
            '* * * * 5L,SUN',
        ]) {
            assert.equal(badField(crontab), undefined);
        }
    });
});
