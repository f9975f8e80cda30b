import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { RedisSettings } from '../../../lib/config/redis_settings.js';
import { connectWith, loadPackages } from '../../../lib/engines/bullmq/packages.js';

test('a second error of one socket ends nothing', async () => {
    const connect = connectWith(await loadPackages());
    const client = connect(new RedisSettings('redis://127.0.0.1:1'), { retryStrategy: null });
    const failed = new Promise((resolve) => client.once('error', resolve));
    client.connect().catch(() => {});
    await failed;
    const { stream } = client;
    assert.ok(stream);
    assert.equal(stream.emit('error', new Error('once more')), true);
    if (client.status !== 'end') await once(client, 'end');
});
