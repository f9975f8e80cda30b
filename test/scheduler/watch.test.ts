import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DispatchRules } from '../../lib/scheduler/dispatcher.js';
import { Watch, type WatchParts } from '../../lib/scheduler/watch.js';

const schedule = { key: 'a' };

/** A watch whose engine answers what is settled when the test says so. */
function watchWith() {
    const asked: number[] = [];
    const answer: (() => void)[] = [];
    const dispatched: { catchesUp: boolean; rules: DispatchRules }[] = [];
    const watch = new Watch({
        catalog: () => ({
            schedules: [schedule],
            passGap: () => [schedule],
            due: () => [{ schedule, catchesUp: false }],
            owed: () => ({ occurrences: [{ schedule, catchesUp: true }], unrun: [] }),
        }),
        engine: {
            settledUntil(_schedules: unknown, now: number) {
                asked.push(now);
                return new Promise((resolve) => answer.push(() => resolve(new Map())));
            },
            unrun: async () => {},
        },
        emit() {},
        dispatcher: {
            settlements: { clear() {} },
            // What is dispatched may go on for ever: a listing of tenants that hangs.
            dispatch([{ catchesUp }]: [{ catchesUp: boolean }], rules: DispatchRules) {
                dispatched.push({ catchesUp, rules });
                return new Promise(() => {});
            },
        },
    } as unknown as WatchParts);
    return { watch, asked, answer, dispatched };
}

test('what is owed is looked for once at a time, and once more for all who ask meanwhile, up to then', async () => {
    const { watch, asked, answer } = watchWith();
    let reached = 1;
    const all = [1, 2, 3].map(() => watch.recover(() => reached));
    all.push(watch.recover(() => reached));
    reached = 4;
    assert.deepEqual(asked, [1]);
    answer.shift()?.();
    await nextTurn();
    assert.deepEqual(asked, [1, 4]);
    answer.shift()?.();
    await Promise.all(all);
    assert.deepEqual(asked, [1, 4]);
});

test('what becomes due waits until what is owed is known, and on its way', async () => {
    const { watch, answer, dispatched } = watchWith();
    watch.tick(1);
    const [due] = dispatched;
    assert.equal(due?.rules.finding?.(), undefined);
    void watch.recover(() => 2);
    const found = due?.rules.finding?.();
    assert.ok(found);
    let isFound = false;
    void found.then(() => {
        isFound = true;
    });
    await nextTurn();
    assert.equal(isFound, false);
    assert.equal(dispatched.length, 1);
    answer.shift()?.();
    await found;
    assert.deepEqual(
        dispatched.map(({ catchesUp, rules }) => [catchesUp, rules.finding !== undefined]),
        [
            [false, true],
            [true, false],
        ],
    );
    assert.equal(due?.rules.finding?.(), undefined);
});

test('what a gap owes is left to a recovery that has begun and looks as far', async () => {
    for (const [until, dispatches] of [
        [9, 1],
        [8, 2],
    ] as const) {
        const { watch, answer, dispatched } = watchWith();
        const recovered = watch.recover(() => until);
        watch.gap({ after: 5, now: 9 });
        answer.pop()?.();
        await nextTurn();
        answer.pop()?.();
        await recovered;
        assert.equal(dispatched.length, dispatches);
    }
});
