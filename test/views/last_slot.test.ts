import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { PastRun, PastSkips } from '../../lib/history.js';
import { describeLast, lastSlotOf } from '../../lib/views/last_slot.js';
import { NOW, pastRun as runOf, pastSkips as skipsOf } from '../support/job_overviews.js';

function phrases(ended: PastRun[], skipped?: PastSkips): string[] {
    return describeLast({ running: [], ended, skipped }, NOW).map((phrase) =>
        stripVTControlCharacters(phrase).replaceAll('\u00a0', ' '),
    );
}

describe('what a job did last', () => {
    test('is its outcome, its age and its duration', () => {
        assert.deepEqual(phrases([runOf()]), ['succeeded 4 min ago', 'took 2.4 s']);
        assert.deepEqual(phrases([]), []);
        assert.deepEqual(describeLast(undefined, NOW), []);
    });

    test('is the worst of several tenants, with how many there are of it', () => {
        const runs = [
            runOf(),
            runOf({ outcome: 'timed_out', endedAt: NOW - 1_000 }),
            runOf({ outcome: 'failed' }),
            runOf({ outcome: 'failed' }),
        ];
        assert.deepEqual(phrases(runs), ['failed for 2 of 4, 1 s ago', 'took 5 min']);
        assert.deepEqual(phrases([runOf(), runOf()]), ['succeeded 4 min ago', 'took 2.4 s']);
    });

    test('has no duration where a process died and nobody has noticed', () => {
        assert.deepEqual(phrases([runOf({ outcome: 'lost', endedAt: undefined })]), ['lost 5 min ago']);
        assert.equal(lastSlotOf([runOf({ outcome: 'lost', endedAt: undefined })])?.endedAt, undefined);
    });

    test('tells of the slots that were skipped since, not of older ones', () => {
        const after = skipsOf({ last: NOW / 1000 - 10 });
        assert.deepEqual(phrases([runOf()], after).at(-1), 'then 3 skipped (overlap)');
        assert.equal(phrases([runOf()], skipsOf({ last: NOW / 1000 - 400 })).length, 2);
        assert.deepEqual(phrases([], skipsOf({ count: 1000, atLeast: true, reason: 'missed', last: 1 })), [
            'over 1000 skipped (missed)',
        ]);
    });
});
