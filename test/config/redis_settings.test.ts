import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RedisSettings } from '../../lib/config/redis_settings.js';

test('options in a URL do not win over those that the engine needs; all else of it stays', () => {
    const url = 'redis://me:s%40cret@host:6380/2?maxRetriesPerRequest=3&family=6';
    const ours = { maxRetriesPerRequest: null };
    assert.deepEqual(new RedisSettings(url).arguments(ours), [
        'redis://me:s%40cret@host:6380/2?family=6',
        ours,
    ]);
    assert.deepEqual(new RedisSettings({ url, family: 4 }).arguments({}), [url, { family: 4 }]);
});
