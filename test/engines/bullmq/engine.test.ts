import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { DEFAULT_JOURNAL } from '../../../lib/config/journal_settings.js';
import { RedisSettings } from '../../../lib/config/redis_settings.js';
import { BullmqEngine } from '../../../lib/engines/bullmq/engine.js';
import type { BotEvent } from '../../../lib/runs/events.js';
import { createRun } from '../../../lib/runs/run.js';
import { ManualClock } from '../../../lib/time/manual_clock.js';
import { planOf } from '../../support/job_overviews.js';
import { patience } from '../../support/pace.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../../support/redis_server.js';

const DAY = 86_400_000;

/** Shorter than in earnest: the tests wait for them. */
const LOCKS = { lock: 500, check: 250 };

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const deadline = performance.now() + patience(30_000);
    while (!(await isSo())) {
        assert.ok(performance.now() < deadline, `no ${what}`);
        await delay(50);
    }
}

describe('the engine bullmq', { skip: skipWithoutRedis }, () => {
    let redis: RedisServer;
    let client: Redis;

    before(async () => {
        redis = await startRedis();
        client = new Redis(redis.url);
    });

    after(async () => {
        client.disconnect();
        await redis.stop();
    });

    async function work(redisPrefix: string, journal = DEFAULT_JOURNAL) {
        const config = { redis: new RedisSettings(redis.url), redisPrefix, role: 'both' as const };
        const engine = new BullmqEngine(config, LOCKS);
        const events: BotEvent[] = [];
        await engine.open({
            clock: new ManualClock(Date.now()),
            emit: (event) => events.push(event),
            environment: 'production',
            journal,
            concurrency: 1,
            turn: 30_000,
            planOf: () => undefined,
            perform: async () => ({ kind: 'ended', outcome: 'succeeded' }),
            recovered: () => {},
        });
        engine.work();
        return { engine, events };
    }

    // A stream is cut where one of its nodes ends, which holds a hundred entries.
    test('forgets what is older than the retention, and more runs than a job may keep', async () => {
        const now = Date.now();
        for (const [job, age] of Object.entries({ old: 10 * DAY, fresh: DAY, many: DAY }))
            for (let index = 0; index < (job === 'many' ? 500 : 150); index++)
                await client.xadd(`forgets:past:${job}`, `${now - age + index}-0`, 'run', '{}');
        const length = (job: string) => client.xlen(`forgets:past:${job}`);
        const journal = { ...DEFAULT_JOURNAL, retention: 5 * DAY, maxRunsPerJob: 200 };
        const { engine } = await work('forgets', journal);
        try {
            await until(async () => (await length('old')) < 100, 'end of what is old');
            await until(async () => (await length('many')) <= 300, 'end of what is too much');
            assert.equal(await length('fresh'), 150);
        } finally {
            await engine.close();
        }
    });

    test('says once that Redis refuses its scripts, and once that it takes them again', async () => {
        const { engine, events } = await work('refuses');
        const told = (type: BotEvent['type']) => events.filter((event) => event.type === type).length;
        try {
            await client.acl('SETUSER', 'default', '-@scripting');
            const run = createRun({ job: 'greet', args: [] });
            const request = () => engine.request({ run, plan: planOf('greet', []), isAwaited: false });
            for (let tries = 0; tries < 5; tries++) await assert.rejects(request);
            // Five beats.
            await delay(5_000);
            assert.deepEqual([told('redis-away'), told('redis-back')], [1, 0]);
            await client.acl('SETUSER', 'default', '+@all');
            await until(() => told('redis-back') > 0, 'word of its return');
            assert.deepEqual([told('redis-away'), told('redis-back')], [1, 1]);
            assert.equal(told('engine-failed'), 0);
        } finally {
            await client.acl('SETUSER', 'default', '+@all');
            await engine.close();
        }
    });
});
