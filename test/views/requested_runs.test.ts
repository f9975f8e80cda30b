import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRun, type Outcome, type Run } from '../../lib/runs/run.js';
import { readError } from '../../lib/text/errors.js';
import { runAsJson } from '../../lib/views/as_json.js';
import { exitCodeFor, summarise } from '../../lib/views/requested_runs.js';

const over = (outcome: Outcome, more: Partial<Run> = {}): Run => ({
    ...createRun({
        job: 'my-task',
        file: '/app/my_task.js',
        args: [],
        tenant: undefined,
        scheduledAt: undefined,
        manual: true,
    }),
    outcome,
    ...more,
});

describe('exitCodeFor', () => {
    const skipped = (reason: string) => over('skipped', { reason });
    const codes: [what: string, runs: Run[], code: number | undefined][] = [
        ['no runs', [], undefined],
        ['success', [over('succeeded'), over('succeeded')], undefined],
        ['a failure', [over('succeeded'), over('failed')], 1],
        ['a timeout', [over('timed_out')], 1],
        ['an abort', [over('aborted')], 1],
        ['a job of other environments', [skipped('environment')], undefined],
        ['a job without tenants', [skipped('no tenants')], undefined],
        ['a journal that cannot be used', [skipped('no journal')], 1],
        ['a busy lane', [over('succeeded'), skipped('overlap')], 75],
        ['a busy lane and a failure', [skipped('overlap'), over('failed')], 1],
    ];
    for (const [what, runs, code] of codes) {
        test(`is ${code} for ${what}`, () => assert.equal(exitCodeFor(runs), code));
    }
});

describe('summarise', () => {
    test('names a few of many', () => {
        const runs = Array.from({ length: 100 }, (_, tenant) => over('failed', { tenant }));
        assert.match(summarise(runs), /^100 runs: 100 failed \(my-task \[tenant 0\], .*, 95 more\)$/);
        assert.equal(summarise(runs).match(/my-task/g)?.length, 5);
    });
});

describe('a run as JSON', () => {
    test('has moments as ISO texts, lengths in milliseconds, and null for what there is not', () => {
        const startedAt = Date.parse('2026-11-25T02:00:01.500Z');
        const run = over('failed', {
            scheduledAt: Date.parse('2026-11-25T02:00:00Z') / 1000,
            startedAt,
            endedAt: startedAt + 250,
            attempt: 2,
            error: readError(new TypeError('no paper')),
        });
        const { id, error, ...rest } = JSON.parse(JSON.stringify(runAsJson(run)));
        assert.equal(id, run.id);
        assert.deepEqual([error.name, error.message], ['TypeError', 'no paper']);
        assert.deepEqual(rest, {
            job: 'my-task',
            schedule: null,
            args: [],
            tenant: null,
            manual: true,
            scheduledAt: '2026-11-25T02:00:00Z',
            startedAt: '2026-11-25T02:00:01.500Z',
            endedAt: '2026-11-25T02:00:01.750Z',
            duration: 250,
            lateBy: 1500,
            attempt: 2,
            outcome: 'failed',
            reason: null,
        });
    });
});
