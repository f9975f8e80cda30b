import { randomUUID } from 'node:crypto';
import { after, before, describe } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { RedisSettings } from '../../lib/config/redis_settings.js';
import { BullmqEngine } from '../../lib/engines/bullmq/engine.js';
import { connectWith, loadPackages } from '../../lib/engines/bullmq/packages.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis_server.js';
import { testEngine } from './suite.js';

describe('on a Redis', { skip: skipWithoutRedis }, () => {
    let redis: RedisServer;

    before(async () => {
        redis = await startRedis();
    });

    after(() => redis.stop());

    testEngine('bullmq', async () => {
        const clients: Redis[] = [];
        const connect = connectWith(await loadPackages());
        let commands = 0;
        const redisPrefix = `test:${randomUUID()}`;
        return {
            createEngine: () =>
                new BullmqEngine(
                    { redis: new RedisSettings(redis.url), redisPrefix, role: 'scheduler', concurrency: 1 },
                    (settings, options) => {
                        const client = connect(settings, options);
                        clients.push(client);
                        const send = client.sendCommand.bind(client);
                        client.sendCommand = (command, stream) => {
                            commands += 1;
                            return send(command, stream);
                        };
                        return client;
                    },
                ),
            // Redis answers in order: who has sent nothing more after the answer to a ping is at rest.
            async settle() {
                for (let before = -1; before !== commands; ) {
                    before = commands;
                    const ready = clients.filter(({ status }) => status === 'ready');
                    await Promise.all(ready.map((client) => client.ping()));
                    commands -= ready.length;
                    await nextTurn();
                }
            },
            // A run that has not ended keeps its engine's connection.
            destroy() {
                for (const client of clients) client.disconnect();
            },
        };
    });
});
