import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { lastRequestOf, type PastRun, type PastSkips } from '../../lib/runs/history.js';
import { describeLast, lastSlotOf } from '../../lib/views/standing.js';
import { NOW, pastRun as runOf, pastSkips as skipsOf } from '../support/job_overviews.js';

function last(ended: PastRun[], skipped?: PastSkips, byHand: PastRun[] = []): string {
    return stripVTControlCharacters(describeLast({ running: [], ended, byHand, skipped }, NOW));
}

describe('what a job did last', () => {
    test('is its outcome, its age and its duration', () => {
        assert.equal(last([runOf()]), 'succeeded 4 min ago, took 2.4 s');
        assert.equal(last([]), '');
        assert.equal(describeLast(undefined, NOW), '');
    });

    test('is the worst of several tenants, with how many there are of it', () => {
        const runs = [
            runOf(),
            runOf({ outcome: 'timed_out', endedAt: NOW - 1_000 }),
            runOf({ outcome: 'failed' }),
            runOf({ outcome: 'failed' }),
        ];
        assert.equal(last(runs), 'failed for 2 of 4, 1 s ago, took 5 min');
        assert.equal(last([runOf(), runOf()]), 'succeeded 4 min ago, took 2.4 s');
    });

    test('has no duration where a process died and nobody has noticed', () => {
        assert.equal(last([runOf({ outcome: 'lost', endedAt: undefined })]), 'lost 5 min ago');
        assert.equal(lastSlotOf([runOf({ outcome: 'lost', endedAt: undefined })])?.endedAt, undefined);
    });

    test('tells of the slots that were skipped since, not of older ones', () => {
        const after = skipsOf({ last: NOW / 1000 - 10 });
        assert.match(last([runOf()], after), /, then 3 skipped \(overlap\)$/);
        assert.doesNotMatch(last([runOf()], skipsOf({ last: NOW / 1000 - 400 })), /skipped/);
        assert.equal(
            last([], skipsOf({ count: 1000, atLeast: true, reason: 'missed', last: 1 })),
            'over 1000 skipped (missed)',
        );
    });

    test('tells of what somebody has asked for since, beside the last slot', () => {
        const asked = runOf({
            outcome: 'succeeded',
            manual: true,
            startedAt: NOW - 3_000,
            endedAt: NOW - 1_000,
        });
        assert.equal(
            last([runOf({ outcome: 'failed' })], undefined, [asked]),
            'failed 4 min ago, took 2.4 s, then succeeded by hand 1 s ago',
        );
        assert.equal(
            last([], undefined, [runOf({ outcome: 'failed' }), asked]),
            'failed by hand for 1 of 2, 1 s ago, took 5 min',
        );
    });
});

describe('the last request', () => {
    const run = (tenant: string | undefined, startedAt: number, parts: Partial<PastRun> = {}) =>
        runOf({ tenant, startedAt, manual: true, ...parts });

    test('is what one process has run for one tenant after another', () => {
        const runs = [run('b', 9), run('a', 8), run('b', 7), run('a', 6)];
        assert.deepEqual(lastRequestOf(runs, 0), runs.slice(0, 2));
        assert.deepEqual(lastRequestOf([run('b', 9), run('a', 8, { pid: 2 })], 0).length, 1);
        assert.deepEqual(lastRequestOf([run(undefined, 9), run(undefined, 8)], 0).length, 1);
    });

    test('is none where nobody has asked, or not since', () => {
        assert.deepEqual(lastRequestOf([], 0), []);
        assert.deepEqual(lastRequestOf([run('a', 8)], 8), []);
    });
});
