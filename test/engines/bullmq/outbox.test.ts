import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RedisAwayError } from '../../../lib/engines/bullmq/link.js';
import { Outbox } from '../../../lib/engines/bullmq/outbox.js';

/** An outbox to a Redis that is away or not, and what has come there. */
function outboxTo(redis: { isAway: boolean }) {
    const outbox = new Outbox();
    const written: string[] = [];
    const write = (what: string) => async () => {
        await Promise.resolve();
        if (redis.isAway) throw new RedisAwayError('away');
        written.push(what);
    };
    return { outbox, written, write };
}

test('what cannot be written waits, in order; of one subject only the newest', async () => {
    const redis = { isAway: true };
    const { outbox, written, write } = outboxTo(redis);
    await outbox.send(write('a 1'), 'a');
    await outbox.send(write('end'));
    await outbox.send(write('a 2'), 'a');
    await outbox.send(write('end'));
    redis.isAway = false;
    await outbox.flush();
    assert.deepEqual(written, ['end', 'a 2', 'end']);
});

test('what fails once more does not take the place of what came meanwhile', async () => {
    const redis = { isAway: true };
    const { outbox, written, write } = outboxTo(redis);
    await outbox.send(write('old'), 'a');
    const flushing = outbox.flush();
    outbox.add(write('new'), 'a');
    await flushing;
    redis.isAway = false;
    await outbox.flush();
    assert.deepEqual(written, ['new']);
});
