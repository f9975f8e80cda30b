import type { Redis } from 'ioredis';
import type { RedisSettings } from '../../config/redis_settings.js';

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
