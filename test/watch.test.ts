import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GapFindings } from '../lib/catalog.js';
import type { DispatchRules } from '../lib/dispatcher.js';
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

test('what becomes due goes into the queue after all that is owed, and what is owed waits for nothing', async () => {
    const schedule = { key: 'a' };
    const cleared: (() => Promise<void>)[] = [];
    const finish: (() => void)[] = [];
    const watch = new Watch({
        catalog: () => ({
            schedules: [schedule],
            due: () => [{ schedule }],
            owed: () => ({ occurrences: [{ schedule, catchesUp: true }], unrun: [] }),
        }),
        engine: { settledUntil: async () => new Map(), unrun: async () => {} },
        dispatcher: {
            settlements: { clear() {} },
            dispatch(_due: unknown, rules: DispatchRules) {
                return rules.cleared
                    ? cleared.push(rules.cleared)
                    : new Promise<void>((resolve) => finish.push(resolve));
            },
        },
    } as unknown as WatchParts);
    const order: string[] = [];
    // Due, and not in the queue yet: its tenants are being listed.
    watch.tick(1);
    void watch.take({ occurrences: [{ schedule, catchesUp: true }], unrun: [] } as unknown as GapFindings);
    void cleared[0]?.().then(() => order.push('due'));
    await nextTurn();
    void watch.recover(2);
    await nextTurn();
    for (const take of ['taken', 'recovered']) {
        order.push(take);
        finish.shift()?.();
        await nextTurn();
    }
    assert.deepEqual(order, ['taken', 'recovered', 'due']);
    watch.tick(3);
    await cleared[1]?.();
    assert.equal(cleared.length, 2);
});
