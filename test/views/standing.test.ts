import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { lastRequestOf, type PastRun, type PastSkips } from '../../lib/runs/history.js';
import { describeLast } from '../../lib/views/standing.js';
import { NOW, pastRun as runOf, pastSkips as skipsOf } from '../support/job_overviews.js';

const failed = runOf({ outcome: 'failed' });
const lost = runOf({ outcome: 'lost', endedAt: undefined });
const newest = { startedAt: NOW - 3_000, endedAt: NOW - 1_000 };
const asked = runOf({ ...newest, manual: true });
const many = { count: 1000, atLeast: true, reason: 'missed', last: 1 };

/** What a job did, and what is said of it. */
const LAST: [said: string, ended: PastRun[], skipped?: PastSkips, byHand?: PastRun[]][] = [
    ['', []],
    ['succeeded 4 min ago, took 2.4 s', [runOf()]],
    // Of several tenants it is the worst, with how many there are of it.
    ['succeeded 4 min ago, took 2.4 s', [runOf(), runOf()]],
    [
        'failed for 2 of 4, 1 s ago, took 5 min',
        [runOf(), runOf({ outcome: 'timed_out', endedAt: NOW - 1_000 }), failed, failed],
    ],
    // Nobody knows when a process died.
    ['lost 5 min ago', [lost]],
    // Slots that were skipped since, not older ones.
    [
        'succeeded 4 min ago, took 2.4 s, then 3 skipped (overlap)',
        [runOf()],
        skipsOf({ last: NOW / 1000 - 10 }),
    ],
    ['succeeded 4 min ago, took 2.4 s', [runOf()], skipsOf({ last: NOW / 1000 - 400 })],
    ['over 1000 skipped (missed)', [], skipsOf(many)],
    // What somebody has asked for since, beside the last slot.
    ['failed 4 min ago, took 2.4 s, then succeeded by hand 1 s ago', [failed], undefined, [asked]],
    ['failed by hand for 1 of 2, 1 s ago, took 5 min', [], undefined, [failed, asked]],
];

test('what a job did last is told in one line', () => {
    assert.equal(describeLast(undefined, NOW), '');
    for (const [said, ended, skipped, byHand = []] of LAST) {
        const status = { running: [], ended, byHand, skipped };
        assert.equal(stripVTControlCharacters(describeLast(status, NOW)), said);
    }
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
