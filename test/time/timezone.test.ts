import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isTimezone, timezoneFault } from '../../lib/time/timezone.js';

describe('a time zone', () => {
    test('accepts every zone, old names, and any case', () => {
        const others = ['UTC', 'Etc/GMT+5', 'US/Pacific', 'europe/london', 'cet'];
        for (const zone of [...Intl.supportedValuesOf('timeZone'), ...others])
            assert.equal(timezoneFault(zone), undefined);
    });

    test('accepts the old names of the tz database that lead nowhere on a map', () => {
        // All names without a slash in its release 2025b, but for Factory.
        const names =
            'CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran ' +
            'Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK ' +
            'Singapore Turkey UCT UTC Universal W-SU WET Zulu';
        const places = ['Asia/Calcutta', 'Asia/Kolkata', 'Europe/Kyiv', 'US/Pacific-New', 'Brazil/East'];
        for (const name of [...names.split(' '), ...places]) assert.equal(timezoneFault(name), undefined);
    });

    test('accepts nothing of three letters but what the tz database has', () => {
        const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
        const words = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => a + b + c)));
        assert.deepEqual(
            words.filter((word) => isTimezone(word)),
            'CET EET EST GMT HST MET MST PRC ROC ROK UCT UTC WET'.split(' '),
        );
        assert.equal(isTimezone('bst'), false);
        assert.equal(isTimezone('SystemV/PST8PDT'), false);
    });

    const place = (zone: string) =>
        `is an abbreviation, not a time zone: write the zone of a place, such as "${zone}"`;
    const refused: Record<string, string> = {
        BST: place('Europe/London'),
        bst: place('Europe/London'),
        CEST: place('Europe/Berlin'),
        PDT: place('America/Los_Angeles'),
        ACT: place('Europe/London'),
        Rome: 'is not a time zone (did you mean "Europe/Rome"?)',
        ROME: 'is not a time zone (did you mean "Europe/Rome"?)',
        Pari: 'is not a time zone (did you mean "Europe/Paris"?)',
        'Europe/Lodnon': 'is not a time zone (did you mean "Europe/London"?)',
        London: 'is not a time zone (did you mean "Europe/London"?)',
        'new york': 'is not a time zone (did you mean "America/New_York"?)',
        'Middle-earth': 'is not a time zone: write an IANA name, such as "Europe/London"',
        '': 'is not a time zone: write an IANA name, such as "Europe/London"',
        '+01:00': 'is an offset, not a time zone: write an IANA name, such as "Europe/London"',
    };
    for (const [zone, message] of Object.entries(refused)) {
        test(`refuses "${zone}"`, () => assert.equal(timezoneFault(zone), message));
    }
});
