import { randomUUID } from 'node:crypto';
import { after, before, describe } from 'node:test';
import { RedisSettings } from '../../lib/config/redis_settings.js';
import { BullmqEngine } from '../../lib/engines/bullmq/engine.js';
import type { Engine } from '../../lib/runs/engine.js';
import { type Network, openNetwork } from '../support/network.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis_server.js';
import { testEngine } from './suite.js';

/** Shorter than in earnest: the tests wait for them. */
const LOCKS = { lock: 2_000, check: 1_000 };

describe('on a Redis', { skip: skipWithoutRedis }, () => {
    let redis: RedisServer;

    before(async () => {
        redis = await startRedis();
    });

    after(() => redis.stop());

    testEngine('bullmq', async () => {
        const redisPrefix = `test:${randomUUID()}`;
        const networks = new Map<Engine, Network>();
        const spare: Network[] = [];
        for (let index = 0; index < 6; index++) spare.push(await openNetwork(redis.port));
        return {
            createEngine() {
                const network = spare.pop() as Network;
                const config = { redis: new RedisSettings(network.url), redisPrefix, role: 'both' as const };
                const engine = new BullmqEngine(config, LOCKS);
                networks.set(engine, network);
                return engine;
            },
            kill: (engine) => networks.get(engine)?.cut(),
            revive: (engine) => networks.get(engine)?.heal(),
            async destroy() {
                for (const network of [...networks.values(), ...spare]) await network.close();
            },
            patience: 15_000,
        };
    });
});
