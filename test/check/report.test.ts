import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Finding, inOrder } from '../../lib/check/finding.js';
import { asJson, asText } from '../../lib/check/report.js';

const FINDING: Finding = {
    severity: 'warning',
    rule: 'every-minute',
    job: undefined,
    file: undefined,
    line: undefined,
    schedule: undefined,
    message: 'it runs every minute',
    cure: 'write another one',
};

// Those of jobs are in e2e/check.test.ts.
test('a finding about no job is one of all jobs, and has null for what there is not in JSON', () => {
    const text = asText({ findings: [FINDING], jobs: 1, schedules: 2 }, '/app', 60);
    assert.match(text, /^warning {2}all jobs\n {9}it runs every minute\n {9}Cure: write another one\n/);
    const json = { ...FINDING, job: null, file: null, line: null, schedule: null };
    assert.deepEqual(asJson({ findings: [FINDING], jobs: 1, schedules: 1 }), { findings: [json] });
});

test('findings come errors first, then by file and line, those about no file last', () => {
    const at = (severity: Finding['severity'], file: string | undefined, line?: number): Finding => ({
        ...FINDING,
        severity,
        file,
        line,
    });
    const ordered = [
        at('error', '/a', 9),
        at('error', '/b'),
        at('error', undefined),
        at('warning', '/a'),
        at('warning', '/a', 2),
        at('warning', '/a', 10),
        at('warning', undefined),
    ];
    assert.deepEqual(inOrder(ordered.toReversed()), ordered);
});
