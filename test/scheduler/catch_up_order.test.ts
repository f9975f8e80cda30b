import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CatchUpOrder } from '../../lib/scheduler/catch_up_order.js';

test('catch-ups of a job go one after another, and all that is newer after them', async () => {
    const order = new CatchUpOrder();
    const said: string[] = [];
    const first = order.begin('a');
    const second = order.begin('a');
    void second.older.then(() => said.push('second'));
    void order.pending('a')?.then(() => said.push('newer'));
    second.end();
    await nextTurn();
    assert.deepEqual(said, []);
    first.end();
    await nextTurn();
    assert.deepEqual(said, ['second', 'newer']);
    assert.equal(order.pending('a'), undefined);
});

test('jobs do not wait for one another', () => {
    const order = new CatchUpOrder();
    order.begin('a');
    assert.equal(order.pending('b'), undefined);
});
