import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { DEFAULT_JOURNAL } from '../../lib/config/config.js';
import { RedisSettings } from '../../lib/config/redis_settings.js';
import { BullmqEngine } from '../../lib/engines/bullmq/engine.js';
import type { JobPlan } from '../../lib/jobs/job_plan.js';
import { readSettings } from '../../lib/jobs/settings.js';
import type { Result } from '../../lib/runs/engine.js';
import type { BotEvent } from '../../lib/runs/events.js';
import { createRun } from '../../lib/runs/run.js';
import { readError } from '../../lib/text/errors.js';
import { systemClock } from '../../lib/time/clock.js';
import { openNetwork } from '../support/network.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis_server.js';
import { until } from '../support/servers.js';

/** Shorter than in earnest: the tests wait for them. */
const LOCKS = { lock: 2_000, check: 1_000 };

const PLAN: JobPlan = {
    name: 'digest',
    file: undefined,
    settings: readSettings({ multiTenant: false }).settings,
    sources: {},
    schedules: [],
    problems: [],
    runnable: true,
};

/** A process that works on a Redis. */
async function join(url: string, redisPrefix: string, perform: () => Promise<Result>) {
    const engine = new BullmqEngine({ redis: new RedisSettings(url), redisPrefix, role: 'both' }, LOCKS);
    const events: BotEvent[] = [];
    await engine.open({
        clock: systemClock,
        emit: (event) => events.push(event),
        environment: 'production',
        journal: { ...DEFAULT_JOURNAL, retention: 3_600_000 },
        config: { concurrency: 2, turn: 30_000 },
        outputKept: 2,
        planOf: () => PLAN,
        perform,
        failingAfter: () => Infinity,
        recovered: () => {},
    });
    engine.work();
    const ask = (isAwaited: boolean) =>
        engine.request({
            run: createRun({ job: 'digest', args: [], manual: true }),
            plan: PLAN,
            isAwaited,
        });
    return { engine, events, ask };
}

const succeed = async (): Promise<Result> => ({ kind: 'ended', outcome: 'succeeded' });

describe('the engine "bullmq"', { skip: skipWithoutRedis, concurrency: true }, () => {
    let redis: RedisServer;
    let client: Redis;
    let prefix: string;

    before(async () => {
        redis = await startRedis();
        client = new Redis(redis.url);
        prefix = `test:${randomUUID()}`;
    });

    after(async () => {
        client.disconnect();
        await redis.stop();
    });

    test('forgets what is older than the retention', async () => {
        const stream = `${prefix}:past:digest`;
        await client.xadd(stream, Date.now() - 2 * 3_600_000, 'run', '{}');
        await client.xadd(stream, Date.now() - 1_800_000, 'run', '{}');
        const { engine, ask } = await join(redis.url, prefix, succeed);
        await ask(true);
        await until('the old entry to go', async () => (await client.xlen(stream)) === 2, 20_000);
        const [oldest] = await client.xrange(stream, '-', '+', 'COUNT', 1);
        assert.ok(Number(oldest?.[0].split('-')[0]) < Date.now() - 1_000_000, 'the younger one stays');
        await engine.close();
    });

    test('frees the lane of a run by hand whose process was killed', async () => {
        const own = `test:${randomUUID()}`;
        const network = await openNetwork(redis.port);
        let end = (_: Result) => {};
        const killed = await join(network.url, own, () => new Promise((resolve) => (end = resolve)));
        void killed.ask(true);
        await until('its note', async () => (await client.hlen(`${own}:started`)) === 1);
        const other = await join(redis.url, own, succeed);
        assert.equal((await other.ask(true)).reason, 'overlap');
        network.cut();
        await until(
            'the loss',
            async () => other.events.some((one) => one.type === 'run-ended' && one.run.outcome === 'lost'),
            40_000,
        );
        assert.equal((await other.ask(true)).outcome, 'succeeded');
        network.heal();
        end(await succeed());
        await killed.engine.close();
        await other.engine.close();
        await network.close();
    });

    test('records what a run came to although its lock has run out meanwhile', async () => {
        const own = `test:${randomUUID()}`;
        const results: Result[] = [
            await succeed(),
            { kind: 'ended', outcome: 'failed', error: readError(new Error('no paper')) },
        ];
        const { engine, events, ask } = await join(redis.url, own, async () => {
            await client.del(await client.keys(`${own}:runs:*:lock`));
            return results.shift() ?? succeed();
        });
        const told = () => events.flatMap((one) => (one.type === 'run-ended' ? [one.run.outcome] : []));
        for (const outcome of ['succeeded', 'failed']) {
            const { id } = await ask(false);
            await until('its end', async () => told().at(-1) === outcome);
            const [returned, reason] = await client.hmget(`${own}:runs:${id}`, 'returnvalue', 'failedReason');
            assert.deepEqual(
                [returned !== null, reason],
                outcome === 'failed' ? [false, 'no paper'] : [true, null],
            );
        }
        const past = await client.xrange(`${own}:past:digest`, '-', '+');
        assert.equal(past.length, 2);
        assert.deepEqual(
            events.filter(({ type }) => type === 'engine-failed'),
            [],
        );
        await engine.close();
    });

    test('says once that a Redis cannot be used which answers reads and refuses scripts', async () => {
        const own = await startRedis();
        const admin = new Redis(own.url);
        await admin.call(
            'ACL',
            'SETUSER',
            'limited',
            'on',
            'nopass',
            '~*',
            '&*',
            '+@all',
            '-eval',
            '-evalsha',
        );
        const { engine, events, ask } = await join(
            own.url.replace('//', '//limited:x@'),
            'test:acl',
            succeed,
        );
        const count = (type: BotEvent['type']) => events.filter((event) => event.type === type).length;
        await assert.rejects(ask(false), /NOPERM/);
        await delay(6_000);
        assert.deepEqual([count('redis-away'), count('redis-back'), count('engine-failed')], [1, 0, 0]);
        await admin.call('ACL', 'SETUSER', 'limited', '+eval', '+evalsha');
        await until('it to be back', async () => count('redis-back') === 1, 20_000);
        await ask(true);
        assert.equal(count('run-ended'), 1);
        await engine.close();
        admin.disconnect();
        await own.stop();
    });
});
