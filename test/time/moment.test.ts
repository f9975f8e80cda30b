import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatMoment, formatSpan, formatUniqueMoment, inZone } from '../../lib/time/moment.js';

const at = (iso: string) => Date.parse(iso) / 1000;

describe('a moment for people', () => {
    test('is on the clock of a place', () => {
        assert.equal(formatMoment(at('2026-11-24T02:00:05Z'), 'Asia/Tokyo'), '2026-11-24 11:00:05');
        assert.equal(formatMoment(at('2026-11-24T15:00:00Z'), 'Asia/Tokyo'), '2026-11-25 00:00:00');
    });

    test('has its offset where the clock shows it twice, and only there', () => {
        const london = (iso: string) => formatUniqueMoment(at(iso), 'Europe/London');
        assert.equal(london('2026-10-25T00:30:00Z'), '2026-10-25 01:30:00 +01:00');
        assert.equal(london('2026-10-25T01:30:00Z'), '2026-10-25 01:30:00 +00:00');
        assert.equal(london('2026-10-24T23:59:59Z'), '2026-10-25 00:59:59');
        assert.equal(london('2026-10-25T02:00:00Z'), '2026-10-25 02:00:00');
        assert.equal(london('2026-03-29T01:00:00Z'), '2026-03-29 02:00:00');
        const lordHowe = formatUniqueMoment(at('2026-04-04T14:45:00Z'), 'Australia/Lord_Howe');
        assert.equal(lordHowe, '2026-04-05 01:45:00 +11:00');
    });

    test('has its place, and its offset before that', () => {
        assert.equal(inZone(at('2026-11-24T02:00:00Z'), 'Asia/Tokyo'), '2026-11-24 11:00:00 Asia/Tokyo');
        const again = inZone(at('2026-10-25T01:30:00Z'), 'Europe/London');
        assert.equal(again, '2026-10-25 01:30:00 +00:00 Europe/London');
    });

    test('is never the same for two moments', () => {
        const zones = 'Europe/London America/St_Johns Australia/Lord_Howe America/Sao_Paulo';
        const zone = fc.constantFrom(...zones.split(' '));
        const year = fc.integer({ min: at('2016-01-01T00:00:00Z'), max: at('2017-01-01T00:00:00Z') });
        fc.assert(
            fc.property(zone, year, fc.constantFrom(1800, 3600, 7200), (timezone, moment, later) => {
                const [one, two] = [moment, moment + later].map((each) => formatUniqueMoment(each, timezone));
                assert.notEqual(one, two);
            }),
        );
    });
});

test('how far away something is has two units up to ten of the larger one, and is rounded down', () => {
    const spans: [number, string][] = [
        [-5, '0 s'],
        [999, '0 s'],
        [59_999, '59 s'],
        [60_000, '1 min'],
        [7_500_000, '2 h 5 min'],
        [7_200_000, '2 h'],
        [54_000_000, '15 h'],
        [273_600_000, '3 d 4 h'],
        [3_456_000_000, '40 d'],
    ];
    for (const [milliseconds, text] of spans) assert.equal(formatSpan(milliseconds), text);
});
