import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { PastRun, PastSkips } from '../../lib/history.js';
import { describeLast, lastSlotOf } from '../../lib/views/last_slot.js';

/** Unix milliseconds. */
const NOW = 1_767_225_600_000;

function runOf(parts: Partial<PastRun> = {}): PastRun {
    return {
        kind: 'run',
        id: 'one',
        job: 'clean-up',
        schedule: '*/5 * * * *',
        args: [],
        tenant: undefined,
        reason: undefined,
        host: 'here',
        pid: 1,
        scheduledAt: NOW / 1000 - 300,
        manual: false,
        attempt: 1,
        startedAt: NOW - 300_000,
        endedAt: NOW - 297_600,
        lateBy: 0,
        outcome: 'succeeded',
        error: undefined,
        stack: undefined,
        ...parts,
    };
}

function skipsOf(parts: Partial<PastSkips> = {}): PastSkips {
    return {
        ...runOf(),
        kind: 'skips',
        reason: 'overlap',
        first: 0,
        last: 0,
        count: 3,
        atLeast: false,
        ...parts,
    };
}

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
