import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { RedisSettings } from '../../config/redis_settings.js';
import { Project } from '../../framework.js';

/**
 * How long ioredis waits, in milliseconds, for a connection that it ends itself: also for one that has ended before, whose
 * end it never hears of, and with that a process would live on.
 */
const DISCONNECT_TIMEOUT = 500;

/** What the engine needs from npm, and the embedded one does not. */
export interface Packages {
    readonly bullmq: typeof import('bullmq');
    readonly ioredis: Pick<typeof import('ioredis'), 'Redis'>;
}

/** Makes a client of ioredis, which is not connected yet. */
export type Connect = (settings: RedisSettings, options: Readonly<Record<string, unknown>>) => Redis;

/**
 * Loads BullMQ and ioredis, which an app has only if it wants this engine.
 *
 * @returns both
 * @throws Error that says what to install, where one of them is missing
 */
export async function loadPackages(): Promise<Packages> {
    try {
        const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
        return { bullmq, ioredis };
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
        throw new Error(
            `The engine 'bullmq' needs two packages that are not installed: run \`npm install bullmq ioredis\` (${(error as Error).message})`,
            { cause: error },
        );
    }
}

/**
 * How clients are made in earnest.
 *
 * @param packages where they come from
 */
export function connectWith({ ioredis }: Packages): Connect {
    return (settings, options) => {
        const [first, second] = settings.arguments({
            lazyConnect: true,
            disconnectTimeout: DISCONNECT_TIMEOUT,
            ...options,
        });
        const client =
            typeof first === 'string' ? new ioredis.Redis(first, second as object) : new ioredis.Redis(first);
        // ioredis listens to a socket's first error alone. One of TLS may have a second, which nobody's would end the process.
        client.on('error', () => client.stream?.on('error', () => {}));
        return client;
    };
}

/**
 * What all keys of an app begin with, so that several can share a Redis: two apps, or the same one in two environments,
 * must not take one another's runs.
 *
 * @param configured `bot.redisPrefix`, which wins
 * @param environment the value of `NODE_ENV`, or what stands for it
 * @returns `bot:<the name in package.json>:<environment>`
 * @throws Error where the app has no name
 */
export async function readPrefix(configured: string | undefined, environment: string): Promise<string> {
    if (configured !== undefined) return configured;
    const { rootPath = process.cwd() } = await Project.instance;
    const path = join(rootPath, 'package.json');
    const manifest = JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as { name?: unknown };
    if (typeof manifest.name === 'string' && manifest.name !== '')
        return `bot:${manifest.name}:${environment}`;
    throw new Error(
        `${path} has no name, by which the app's keys in Redis could be told from those of others: give it one, or set bot.redisPrefix.`,
    );
}
