import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { steadyOffset } from '../../lib/time/steady_offset.js';
import { offsetAt, ZONES } from '../support/time_zone_oracle.js';

const DAY = 24 * 3600;
const utc = (text: string) => Date.parse(text) / 1000;

describe('steadyOffset', () => {
    test('gives the offset in minutes, east and west', () => {
        const summer = utc('2026-07-01T00:00:00Z');
        const zones = {
            UTC: 0,
            'Europe/London': 60,
            'America/New_York': -240,
            'Asia/Kathmandu': 345,
            'America/St_Johns': -150,
        };
        for (const [zone, minutes] of Object.entries(zones))
            assert.equal(steadyOffset(zone, summer).minutes, minutes);
    });

    test('gives none where it is no whole number of minutes', () => {
        assert.equal(steadyOffset('Africa/Monrovia', utc('1971-06-01T00:00:00Z')).minutes, undefined);
    });

    test('ends before the clocks change, and begins after it', () => {
        const change = utc('2026-03-29T01:00:00Z');
        const before = steadyOffset('Europe/London', change - DAY);
        assert.ok(before.until < change && before.from < change - 10 * DAY);
        const after = steadyOffset('Europe/London', change + DAY);
        assert.ok(after.from >= change && after.until > change + 10 * DAY);
    });

    test('is the same at each of its hours as Intl has it', () => {
        const times = fc.integer({ min: utc('1975-01-01T00:00:00Z'), max: utc('2037-01-01T00:00:00Z') });
        fc.assert(
            fc.property(fc.constantFrom(...ZONES), times, (zone, second) => {
                const { from, until, minutes } = steadyOffset(zone, second);
                assert.ok(from <= second && second <= until);
                for (let hour = from; hour <= until; hour += 3600)
                    assert.equal(offsetAt(zone, hour), (minutes ?? 0) * 60);
            }),
            { numRuns: 150 },
        );
    });
});
