import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { offsetIn } from '../../lib/schedule/spread.js';

describe('the offset of a run within its spread', () => {
    test('is at least 0 and less than the spread, the same each time, and for an id in writing', () => {
        fc.assert(
            fc.property(fc.nat(86_400_000), fc.string(), fc.option(fc.nat()), (spread, job, id) => {
                const tenant = id ?? undefined;
                const offset = offsetIn(spread, job, tenant);
                assert.ok(Number.isInteger(offset) && offset >= 0 && (offset < spread || spread === 0));
                assert.equal(offsetIn(spread, job, tenant), offset);
                if (id !== null) assert.equal(offsetIn(spread, job, String(id)), offset);
            }),
        );
    });

    test('stays what it is on every machine and in every release', () => {
        assert.equal(offsetIn(300_000, 'digest', 'acme'), 181_681);
    });

    test('leaves no minute of five without its share of a thousand tenants', () => {
        const minutes = Array.from({ length: 1_000 }, (_, id) =>
            Math.floor(offsetIn(300_000, 'digest', id) / 60_000),
        );
        for (let minute = 0; minute < 5; minute++) {
            const share = minutes.filter((one) => one === minute).length;
            assert.ok(share > 140 && share < 260, `minute ${minute}: ${share}`);
        }
    });
});
