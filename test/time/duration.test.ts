import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../lib/time/duration.js';

describe('parseDuration', () => {
    const durations: [string, number][] = [
        ['0s', 0],
        ['500ms', 500],
        ['30 seconds', 30_000],
        ['1.5m', 90_000],
        ['1H', 3_600_000],
        ['2 days', 172_800_000],
        ['1w', 604_800_000],
    ];
    test('reads a number with its unit', () => {
        for (const [text, milliseconds] of durations) assert.equal(parseDuration(text), milliseconds, text);
    });

    const texts = ['1000', '', ' ', 'soon', '-5s', '5 parsecs', '1h 30m', 'h', '1hh', `${'9'.repeat(200)}s`];
    const others: unknown[] = [...texts, 1000, null, undefined, true, ['1h'], {}, 10n, Number.NaN];
    for (const value of others) {
        test(`refuses ${typeof value} ${String(value).slice(0, 20)} and says how to write one`, () => {
            assert.throws(() => parseDuration(value), { name: 'TypeError', message: /'30s', '10m' or '1h'/ });
        });
    }

    const unclear: [string, message: string][] = [
        ['1M', `is ambiguous: write '1m' for minutes, '30d' for months`],
        ['1.5 M', `is ambiguous: write '1.5m' for minutes, '45d' for months`],
        ...['1y', '1 Y', '1yr', '1 yrs', '1year', '1 years'].map((text): [string, string] => [
            text,
            `is ambiguous: write '365d' for years`,
        ]),
    ];
    for (const [text, message] of unclear) {
        test(`refuses ${text}, which is not clear, and says what is`, () => {
            assert.throws(() => parseDuration(text), { name: 'TypeError', message });
            for (const [, hint] of message.matchAll(/'(.+?)'/g)) assert.ok(parseDuration(hint) > 0);
        });
    }

    test('a number with any unit is that many of the unit', () => {
        const units = Object.entries({ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 });
        fc.assert(
            fc.property(fc.nat(100_000), fc.constantFrom(...units), (count, [unit, length]) =>
                assert.equal(parseDuration(`${count}${unit}`), count * length),
            ),
        );
    });

    test('nothing but a TypeError comes out of anything', () => {
        fc.assert(
            fc.property(fc.anything(), (value) => {
                try {
                    assert.ok(parseDuration(value) >= 0);
                } catch (error) {
                    assert.ok(error instanceof TypeError);
                }
            }),
        );
    });
});

describe('formatDuration', () => {
    const lengths: [number, string][] = [
        [0, '0 ms'],
        [999, '999 ms'],
        [1000, '1 s'],
        [3400, '3.4 s'],
        [59_900, '59.9 s'],
        [60_000, '1 min'],
        [3_600_000, '1 h'],
        [9_000_000, '2.5 h'],
    ];
    for (const [milliseconds, text] of lengths) {
        test(`writes ${milliseconds} ms as ${text}`, () => assert.equal(formatDuration(milliseconds), text));
    }

    test('never writes a number that belongs to the next unit', () => {
        fc.assert(
            fc.property(fc.double({ min: 0, max: 4_000_000, noNaN: true }), (milliseconds) => {
                const [number, unit] = formatDuration(milliseconds).split(' ') as [string, string];
                assert.ok(Number(number) < { ms: 1000, s: 60, min: 60, h: Infinity }[unit as 's']);
            }),
        );
    });
});
