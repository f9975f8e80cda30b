import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Finding, inOrder } from '../../lib/check/finding.js';
import { asJson, asText } from '../../lib/check/report.js';
import { paragraph } from '../../lib/text/paragraph.js';

const FINDING: Finding = {
    severity: 'warning',
    rule: 'every-minute',
    job: 'sweep',
    file: '/app/lib/background_jobs/sweep.js',
    line: 4,
    schedule: '* 2 * * *',
    message: 'schedule "* 2 * * *": it runs every minute of hour 2, not once, in /app/lib/x.js',
    cure: "for once write '0 2 * * *'",
};

describe('the report of a check', () => {
    test('has the place, the message and the cure of each finding, and their counts', () => {
        const crowd = {
            ...FINDING,
            severity: 'error',
            job: undefined,
            file: undefined,
            line: undefined,
        } as const;
        assert.equal(
            asText({ findings: [FINDING, crowd], jobs: 1, schedules: 2 }, '/app', 60),
            `warning  sweep  lib/background_jobs/sweep.js:4
         schedule "* 2 * * *": it runs every minute of hour
         2, not once, in lib/x.js
         Cure: for once write '0 2 * * *'

error    all jobs
         schedule "* 2 * * *": it runs every minute of hour
         2, not once, in lib/x.js
         Cure: for once write '0 2 * * *'

1 background job, 2 schedules: 1 error, 1 warning.`,
        );
    });

    test('is one line where there is nothing', () => {
        assert.equal(
            asText({ findings: [], jobs: 3, schedules: 1 }, '/app', 80),
            '3 background jobs, 1 schedule: nothing wrong.',
        );
    });

    test('is an object for programs, with null for what there is not', () => {
        const bare = { ...FINDING, job: undefined, file: undefined, line: undefined, schedule: undefined };
        assert.deepEqual(asJson({ findings: [FINDING, bare], jobs: 1, schedules: 1 }), {
            findings: [FINDING, { ...FINDING, job: null, file: null, line: null, schedule: null }],
        });
    });
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

describe('a paragraph', () => {
    test('keeps what is quoted in one line, and is never wider than it may be', () => {
        const text = "for once write '0 2 * * *' and be done with it";
        assert.equal(
            paragraph(text, 24, '    '),
            "    for once write\n    '0 2 * * *' and be\n    done with it",
        );
    });

    test('breaks no word that is wider than a line, such as a path, and knows how wide other scripts are', () => {
        const path = `/app/lib/${'x'.repeat(25)}.js`;
        assert.equal(paragraph(`in ${path} of it`, 20), `in\n${path}\nof it`);
        assert.equal(paragraph('日本語 日本語 日本語 日本語', 20), '日本語 日本語 日本語\n日本語');
    });
});
