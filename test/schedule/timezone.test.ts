import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkTimezone } from '../../lib/schedule/timezone.js';

describe('checkTimezone', () => {
    test('accepts every zone, old names, and any case', () => {
        for (const zone of [
            ...Intl.supportedValuesOf('timeZone'),
            'UTC',
            'Etc/GMT+5',
            'US/Pacific',
            'europe/london',
        ]) {
            checkTimezone(zone);
        }
    });

    const refused: Record<string, string> = {
        'Europe/Lodnon': 'is not a time zone (did you mean "Europe/London"?)',
        London: 'is not a time zone (did you mean "Europe/London"?)',
        'new york': 'is not a time zone (did you mean "America/New_York"?)',
        'Middle-earth': 'is not a time zone: write an IANA name, such as "Europe/London"',
        '': 'is not a time zone: write an IANA name, such as "Europe/London"',
        '+01:00': 'is an offset, not a time zone: write an IANA name, such as "Europe/London"',
    };
    for (const [zone, message] of Object.entries(refused)) {
        test(`refuses "${zone}"`, () =>
            assert.throws(() => checkTimezone(zone), { name: 'BadScheduleError', message }));
    }
});
