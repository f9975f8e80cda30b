import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeProgress } from '../../lib/process/attendance.js';
import { createRun, type Run } from '../../lib/runs/run.js';
import { stopwatch } from '../../lib/text/progress_line.js';

const run = (progress: Partial<Run>): Run => ({
    ...createRun({
        job: 'send-invoices',
        file: undefined,
        args: [],
        tenant: undefined,
        scheduledAt: undefined,
        manual: true,
    }),
    ...progress,
});

describe('describeProgress', () => {
    const ended = { startedAt: 1, endedAt: 2, attempt: 1 };

    test('names the job, and how long it has been going on', () => {
        assert.equal(describeProgress([run({ startedAt: 1, attempt: 1 })], 12_300), 'send-invoices 0:12');
    });

    test('has the tenant and its place among them, and the attempt from the second on', () => {
        const runs = [
            run({ ...ended, tenant: 'a' }),
            run({ startedAt: 3, attempt: 2, tenant: 'b\n' }),
            run({ tenant: 'c' }),
        ];
        assert.equal(describeProgress(runs, 72_000), 'send-invoices 1:12 (tenant b, 2 of 3, attempt 2)');
    });

    test('is the time alone while nothing runs', () => {
        assert.equal(describeProgress([], 1_000), '0:01');
        assert.equal(describeProgress([run(ended), run({})], 1_000), '0:01');
    });
});

describe('stopwatch', () => {
    for (const [milliseconds, text] of [
        [0, '0:00'],
        [7_999, '0:07'],
        [727_000, '12:07'],
        [3_727_000, '1:02:07'],
        [360_000_000, '100:00:00'],
    ] as const)
        test(`shows ${text}`, () => assert.equal(stopwatch(milliseconds), text));
});
