import { setTimeout as delay } from 'node:timers/promises';
import { Database } from '../../lib/engines/embedded/database.js';
import { openNetwork } from '../support/network.js';
import { configFor, readUnfinished } from '../support/redis_reader.js';
import { startRedis } from '../support/redis_server.js';
import type { Fleet } from '../support/servers.js';

/** What a storm is like on an engine. */
export interface Weather {
    /** The app's config. */
    readonly files: Record<string, string>;
    /** What a process is given, by its number. */
    env(server: number): Record<string, string>;
    /** What befalls the store, or a process's way to it. */
    readonly faults: Readonly<Record<string, (victim: number, fleet: Fleet) => Promise<unknown>>>;
    /** How many slots have not ended, up to the last one that counts, in unix seconds. */
    leftOver(last: number, fleet: Fleet): Promise<number>;
    end(): Promise<void>;
}

const BOT = { log: 'silent', concurrency: 20, journal: { maxRunsPerJob: 1_000_000 } };

/** The weather by engine, for so many processes. */
export const WEATHERS: Readonly<Record<string, (servers: number) => Promise<Weather>>> = {
    async embedded() {
        return {
            files: { 'pinstripe.config.js': `export default ${JSON.stringify({ bot: BOT })};\n` },
            env: () => ({}),
            faults: {
                async lock(_, { journal }) {
                    const database = new Database(journal);
                    try {
                        database.exec('BEGIN IMMEDIATE');
                        await delay(500 + 4_000 * Math.random());
                        database.exec('ROLLBACK');
                    } catch {
                        // Somebody else is just writing.
                    }
                    database.close();
                },
            },
            async leftOver(last, { journal }) {
                const database = new Database(journal);
                const sql = 'SELECT count(*) AS count FROM bot_runs WHERE ended_at IS NULL AND slot <= ?';
                try {
                    return database.statement(sql).get([last])?.['count'] as number;
                } finally {
                    database.close();
                }
            },
            end: async () => {},
        };
    },

    async bullmq(servers) {
        const redis = await startRedis();
        const networks = await Promise.all(Array.from({ length: servers }, () => openNetwork(redis.port)));
        return {
            files: configFor(redis.url, BOT),
            env: (server) => ({ REDIS: networks[server]?.url ?? redis.url }),
            faults: {
                async 'Redis restarted'() {
                    await redis.stop(Math.random() < 0.5 ? 'SIGKILL' : 'SIGTERM');
                    await delay(2_000 * Math.random());
                    await redis.start();
                },
                async 'Redis silent for 20 s'() {
                    redis.signal('SIGSTOP');
                    await delay(20_000);
                    redis.signal('SIGCONT');
                },
                // For longer than a lock.
                async 'cut off'(victim) {
                    networks[victim]?.cut();
                    await delay(16_000 + 8_000 * Math.random());
                    networks[victim]?.heal();
                },
            },
            async leftOver(last) {
                const rows = await readUnfinished(redis.url);
                return rows.filter(({ scheduledAt = Infinity }) => scheduledAt <= last).length;
            },
            async end() {
                await Promise.all(networks.map((network) => network.close()));
                await redis.stop();
            },
        };
    },
};
