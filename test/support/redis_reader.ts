import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { RedisSettings } from '../../lib/config/redis_settings.js';
import { Connection } from '../../lib/engines/bullmq/connection.js';
import { RedisLookups } from '../../lib/engines/bullmq/lookups.js';
import { QUEUE, type RedisRow } from '../../lib/engines/bullmq/rows.js';
import type { PastRun, PastSkips } from '../../lib/runs/history.js';

/** What the keys of the fixture app begin with, in production. */
export const PREFIX = 'bot:fixture:production';

/** The config of an app on a Redis. */
export function configFor(url: string, bot: object = {}): Record<string, string> {
    const config = { bot: { engine: 'bullmq', redis: url, ...bot } };
    // So that each process of a test can have its own part.
    const own = `config.bot.role = process.env.ROLE ?? 'both';\nconfig.bot.redis = process.env.REDIS ?? config.bot.redis;`;
    return {
        'pinstripe.config.js': `const config = ${JSON.stringify(config)};\n${own}\nexport default config;\n`,
    };
}

/** What is remembered of jobs: everything. */
export async function readHistory(url: string, jobs: readonly string[]): Promise<(PastRun | PastSkips)[]> {
    const history = new RedisLookups(await Connection.to(new RedisSettings(url), PREFIX));
    return (await Promise.all(jobs.map((job) => history.search(job, {}, 100_000)))).flat();
}

/** The runs that have not ended. */
export function readUnfinished(url: string): Promise<RedisRow[]> {
    return onQueue(url, async (_queue, client) =>
        (await client.hvals(`${PREFIX}:rows`)).map((text) => JSON.parse(text) as RedisRow),
    );
}

/** Does something with the queue, as a stranger could. */
export async function onQueue<T>(url: string, work: (queue: Queue, client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(url, { maxRetriesPerRequest: null });
    const queue = new Queue(QUEUE, { connection: client, prefix: PREFIX });
    try {
        return await work(queue, client);
    } finally {
        await queue.close();
        client.disconnect();
    }
}
