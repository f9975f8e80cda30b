import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatMoment } from '../../lib/time/moment.js';
import { parseMoment, parseStretchOptions } from '../../lib/time/moment_input.js';

const NOW = Date.UTC(2026, 10, 24, 18) / 1000;
const ZONES = 'UTC Europe/London America/St_Johns Australia/Lord_Howe Pacific/Apia Asia/Kathmandu'.split(' ');

const parse = (text: string, timezone = 'UTC') => parseMoment(text, { now: NOW, timezone });
const iso = (moment: number) => new Date(moment * 1000).toISOString().replace('.000', '');

describe('parseMoment', () => {
    const moments: [text: string, moment: string, timezone?: string][] = [
        ['2026-11-25', '2026-11-25T00:00:00Z'],
        ['2026-11-25', '2026-11-25T05:00:00Z', 'America/New_York'],
        ['2026-11-25 02:00', '2026-11-25T02:00:00Z'],
        ['2026-11-25 02:00', '2026-11-25T01:00:00Z', 'Europe/Berlin'],
        ['2026-11-25T02:00:30Z', '2026-11-25T02:00:30Z', 'Europe/Berlin'],
        ['2026-11-25t02:00:30z', '2026-11-25T02:00:30Z'],
        ['2026-11-25T02:00:30.000Z', '2026-11-25T02:00:30Z'],
        ['2026-11-25 02:00+01:00', '2026-11-25T01:00:00Z', 'America/New_York'],
        ['2026-11-25 02:00 -0330', '2026-11-25T05:30:00Z'],
        ['2026-11-25 02:00+05', '2026-11-24T21:00:00Z'],
        ['2999-12-31T23:59:59Z', '2999-12-31T23:59:59Z'],
        ['1795572000', '2026-11-25T02:00:00Z'],
        ['now', '2026-11-24T18:00:00Z'],
        [' NOW ', '2026-11-24T18:00:00Z'],
        ['+24h', '2026-11-25T18:00:00Z'],
        ['-1h', '2026-11-24T17:00:00Z'],
        // Skipped times are the first valid one after them, and repeated ones the first of the two.
        ['2026-03-29 02:30', '2026-03-29T01:00:00Z', 'Europe/Berlin'],
        ['2026-03-29', '2026-03-28T22:00:00Z', 'Asia/Beirut'],
        ['2011-12-30 12:00', '2011-12-30T10:00:00Z', 'Pacific/Apia'],
        ['2026-10-25 02:30', '2026-10-25T00:30:00Z', 'Europe/Berlin'],
        ['2026-10-25 02:30+01:00', '2026-10-25T01:30:00Z', 'Europe/Berlin'],
    ];
    for (const [text, moment, timezone = 'UTC'] of moments) {
        test(`reads "${text}" in ${timezone}`, () => assert.equal(iso(parse(text, timezone)), moment));
    }

    const refused: [text: string, message: RegExp][] = [
        ['', /^"" is not a time: write '2026-11-25 02:00'/],
        ['tomorrow', /^"tomorrow" is not a time: write /],
        ['24h', /^"24h" is not a time: write .*'\+24h'/],
        ['2026-11-25 2:00', /is not a time/],
        ['2026-11-25 02:00 Europe/London', /is not a time/],
        ['2026-11-25+1', /is not a time/],
        ['1795572000000', /looks like milliseconds, not unix seconds: write 1795572000$/],
        ['1795572000.5', /is not a time in whole seconds/],
        ['20261125', /is too small for unix seconds: write '2026-11-25 02:00'/],
        ['2026-11-25T02:00:00.250Z', /is not a time in whole seconds/],
        ['2026-02-30', /^"2026-02-30" is not a real date and time/],
        ['2026-11-25 24:00', /is not a real date and time/],
        ['0026-11-25', /is not in the years from 1970/],
        ['9999-11-25', /is not in the years from 1970 to 2999/],
        ['3000-01-01T00:00:00Z', /is not in the years from 1970 to 2999/],
        ['2999-12-31 23:00-01:00', /is not in the years from 1970 to 2999/],
        ['99999999999', /is not in the years from 1970 to 2999/],
        ['+24', /^"\+24" is not a duration: write a number with its unit/],
        ['+500ms', /is not a whole number of seconds/],
        ['+999999d', /is not in the years from 1970/],
        ['+1y', /^"\+1y" is ambiguous: write '365d' for years$/],
        ['-2M', /^"-2M" is ambiguous: write '2m' for minutes, '60d' for months$/],
        ['-', /is not a duration/],
    ];
    for (const [text, message] of refused) {
        test(`refuses "${text}"`, () => assert.throws(() => parse(text), { name: 'TypeError', message }));
    }

    const seconds = fc.integer({ min: 1e8, max: 4e9 });

    test('reads what is written of a moment, in any zone, unless the zone repeats it: then the earlier one', () => {
        fc.assert(
            fc.property(seconds, fc.constantFrom(...ZONES), (moment, timezone) => {
                const text = formatMoment(moment, timezone);
                const read = parse(text, timezone);
                assert.ok(read <= moment);
                assert.equal(formatMoment(read, timezone), text);
                // No zone has put its clocks back by more than a day.
                assert.ok(moment - read <= 86_400);
            }),
        );
    });

    test('never goes back: of two times on the same clock the later one is no earlier moment, but where it repeats', () => {
        const wall = fc.integer({ min: 1e8, max: 2e9 });
        fc.assert(
            fc.property(wall, fc.nat(7200), fc.constantFrom(...ZONES), (first, distance, timezone) => {
                const [a, b] = [first, first + distance].map((second) =>
                    parse(iso(second).slice(0, -1), timezone),
                ) as [number, number];
                assert.ok(a <= b);
            }),
        );
    });

    test('reads its own ISO time and unix seconds the same everywhere', () => {
        fc.assert(
            fc.property(seconds, fc.constantFrom(...ZONES), (moment, timezone) => {
                assert.equal(parse(iso(moment), timezone), moment);
                assert.equal(parse(String(moment), timezone), moment);
            }),
        );
    });

    test('nothing but a TypeError that quotes the text comes out of anything', () => {
        fc.assert(
            fc.property(fc.string(), (text) => {
                try {
                    assert.ok(Number.isSafeInteger(parse(text)));
                } catch (error) {
                    assert.ok(error instanceof TypeError);
                    assert.ok(error.message.startsWith(`"${text.trim()}" `));
                }
            }),
        );
    });
});

describe('parseStretchOptions', () => {
    const stretchOf = (from?: string, to?: string) => {
        const options = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
        const stretch = parseStretchOptions(options, { now: NOW, timezone: 'UTC' });
        return [iso(stretch.from), iso(stretch.to)];
    };

    const stretches: [from: string | undefined, to: string | undefined, stretch: string[]][] = [
        [undefined, undefined, ['2026-11-24T18:00:00Z', '2026-11-25T18:00:00Z']],
        ['-24h', 'now', ['2026-11-23T18:00:00Z', '2026-11-24T18:00:00Z']],
        ['-24h', '-1h', ['2026-11-23T18:00:00Z', '2026-11-24T17:00:00Z']],
        ['2026-12-24', '+36h', ['2026-12-24T00:00:00Z', '2026-12-25T12:00:00Z']],
        ['now', '2026-11-25', ['2026-11-24T18:00:00Z', '2026-11-25T00:00:00Z']],
        [undefined, '+1h', ['2026-11-24T18:00:00Z', '2026-11-24T19:00:00Z']],
        ['2999-12-31 12:00', undefined, ['2999-12-31T12:00:00Z', '3000-01-01T12:00:00Z']],
    ];
    for (const [from, to, stretch] of stretches) {
        test(`reads --from ${from ?? 'not given'} and --to ${to ?? 'not given'}`, () =>
            assert.deepEqual(stretchOf(from, to), stretch));
    }

    const refused: [from: string | undefined, to: string | undefined, message: RegExp][] = [
        ['99999999999', undefined, /^--from "99999999999" is not in the years/],
        ['2999-12-31', '+48h', /^--to "\+48h" is not in the years/],
        ['', undefined, /^--from "" is not a time/],
        ['now', 'now', /^--to "now" is not after --from "now"\.$/],
        [undefined, '-1h', /^--to "-1h" is not after now\.$/],
        ['2026-12-24', '2026-12-23', /--to "2026-12-23" is not after --from "2026-12-24"/],
    ];
    for (const [from, to, message] of refused) {
        test(`refuses --from ${from ?? 'not given'} and --to ${to ?? 'not given'}, naming what was typed`, () =>
            assert.throws(() => stretchOf(from, to), { message }));
    }
});
