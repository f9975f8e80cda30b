import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { createRun, laneOf, type Run } from '../../lib/runs/run.js';
import type { Json } from '../../lib/schedule/args.js';

const IDENTITY = {
    job: 'send-digests',
    file: '/app/lib/background_jobs/send_digests.js',
    args: ['weekly'],
    tenant: 'acme',
    scheduledAt: 1_767_225_600,
    manual: false,
} as const;

const lane = (parts: Partial<Pick<Run, 'job' | 'args' | 'tenant'>>) =>
    laneOf({ job: 'a', args: [], tenant: undefined, ...parts });

describe('laneOf', () => {
    test('is that of the job, the args in whichever order their keys were written, and the tenant, number or text', () => {
        const again = createRun({ ...IDENTITY, scheduledAt: 5, manual: true, file: undefined });
        assert.equal(laneOf(createRun(IDENTITY)), laneOf(again));
        const args = [{ a: 1, b: { c: 2, d: 3 } }];
        assert.equal(lane({ args }), lane({ args: [{ b: { d: 3, c: 2 }, a: 1 }] }));
        assert.equal(lane({ tenant: 12 }), lane({ tenant: '12' }));
        assert.notEqual(lane({ tenant: '[]' }), lane({ args: [[]] }));
    });

    test('is equal exactly where the parts are', () => {
        const parts = fc.record(
            {
                job: fc.constantFrom('a', 'a-b', 'reports/a'),
                args: fc.array(
                    fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json),
                    { maxLength: 2 },
                ),
                tenant: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
            },
            { noNullPrototype: true },
        );
        fc.assert(
            fc.property(parts, parts, (one, other) => {
                assert.equal(laneOf(one), laneOf(structuredClone(one)));
                assert.equal(laneOf(one) === laneOf(other), isDeepStrictEqual(one, other));
            }),
        );
    });
});
