import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRun, type Outcome, type Run } from '../../lib/runs/run.js';
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
