import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LEASE, Leases } from '../../lib/engines/leases.js';

describe('leases', () => {
    test('a process that has been silent for two leases is dead', () => {
        const leases = new Leases();
        const deaths = seconds(12).map((now) => leases.look(new Map([['a', 7]]), now));
        assert.deepEqual(deaths.slice(0, 10).flat(), []);
        assert.deepEqual(deaths[10], ['a']);
    });

    test('one that shows life every few seconds is not', () => {
        const leases = new Leases();
        for (const now of seconds(100))
            assert.deepEqual(leases.look(new Map([['a', Math.floor(now / 8_000)]]), now), []);
    });

    test('time in which the observer did not look does not count', () => {
        fc.assert(
            fc.property(fc.array(fc.integer({ min: -10_000, max: 20_000 }), { maxLength: 200 }), (pauses) => {
                const leases = new Leases();
                let now = 0;
                let watched = 0;
                for (const pause of pauses) {
                    now += pause;
                    watched = pause < 0 || pause > 2_500 ? 0 : watched + pause;
                    if (leases.look(new Map([['a', 1]]), now).length > 0) assert.ok(watched >= 2 * LEASE);
                }
            }),
        );
    });

    test('one that is gone is forgotten, and begins anew when it comes back', () => {
        const leases = new Leases();
        for (const now of seconds(9)) leases.look(new Map([['a', 1]]), now);
        leases.look(new Map(), 9_000);
        for (const now of seconds(10)) assert.deepEqual(leases.look(new Map([['a', 1]]), 10_000 + now), []);
    });
});

function seconds(count: number): number[] {
    return Array.from({ length: count }, (_, index) => index * 1_000);
}
