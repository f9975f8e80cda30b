import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slotsOf } from '../../lib/runs/history.js';

test('the runs of a slot are one, the worst of them; skipped slots stand among them', () => {
    const none = { manual: false, reason: undefined, error: undefined };
    const run = (id: string, scheduledAt: number, outcome: 'failed' | 'succeeded', startedAt: number) => ({
        ...none,
        ...{ id, scheduledAt, outcome, startedAt, endedAt: startedAt + 5 },
    });
    const runs = [
        run('c', 3, 'succeeded', 3_000),
        run('b', 1, 'failed', 1_010),
        run('a', 1, 'succeeded', 1_000),
    ];
    const slots = slotsOf(runs, [{ first: 2, last: 2, count: 1, reason: 'overlap' }], 10);
    assert.deepEqual(
        slots.map(({ at, outcome, id, endedAt }) => [at, outcome, id, endedAt]),
        [
            [3_000, 'succeeded', 'c', 3_005],
            [2_000, 'skipped', undefined, 2_000],
            [1_000, 'failed', 'b', 1_015],
        ],
    );
    assert.equal(slotsOf(runs, [], 1).length, 1);
});
