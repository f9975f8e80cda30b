import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { steadyOffset } from '../../lib/time/steady_offset.js';
import { changesOf, offsetAt, ZONES } from '../support/time_zone_oracle.js';

const utc = (text: string) => Date.parse(text) / 1000;

describe('steadyOffset', () => {
    test('has every change that Intl has', () => {
        const [from, to] = [utc('1995-01-01T00:00:00Z'), utc('2037-12-31T00:00:00Z')];
        for (const zone of ZONES) {
            const changes: number[] = [];
            for (let at = from; at < to; at = steadyOffset(zone, at).end) {
                const { start, offset, before } = steadyOffset(zone, at);
                if (offset !== before && start >= from && changes.at(-1) !== start) changes.push(start);
            }
            assert.deepEqual(changes, changesOf(zone), zone);
        }
    });

    test('is the same at each of its hours as Intl has it, and before it', () => {
        const times = fc.integer({ min: utc('1975-01-01T00:00:00Z'), max: utc('2037-01-01T00:00:00Z') });
        fc.assert(
            fc.property(fc.constantFrom(...ZONES), times, (zone, second) => {
                const { start, end, offset, before } = steadyOffset(zone, second);
                assert.ok(start <= second && second < end);
                assert.equal(offsetAt(zone, start - 1), before);
                for (let hour = start; hour < end; hour += 3600) assert.equal(offsetAt(zone, hour), offset);
            }),
            { numRuns: 20 },
        );
    });
});
