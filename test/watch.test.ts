import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Watch, type WatchParts } from '../lib/watch.js';

test('what is owed is recovered once at a time, and once more for all who ask meanwhile', async () => {
    const asked: number[] = [];
    const finish: (() => void)[] = [];
    const watch = new Watch({
        catalog: () => ({
            schedules: [],
            owed: () => ({ occurrences: [{ schedule: { key: 'a' } }], unrun: [] }),
        }),
        engine: {
            settledUntil: async (_schedules: unknown, now: number) => asked.push(now) && new Map(),
            unrun: async () => {},
        },
        dispatcher: {
            settlements: { clear() {} },
            dispatch: () => new Promise<void>((resolve) => finish.push(resolve)),
        },
    } as unknown as WatchParts);
    const all = [1, 2, 3].map((now) => watch.recover(now));
    await nextTurn();
    all.push(watch.recover(4));
    await nextTurn();
    assert.deepEqual(asked, [1]);
    finish.shift()?.();
    await nextTurn();
    assert.deepEqual(asked, [1, 4]);
    finish.shift()?.();
    await Promise.all(all);
    assert.deepEqual(asked, [1, 4]);
});
