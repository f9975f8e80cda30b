import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { RedisSettings } from '../../config/redis_settings.js';
import type { EngineHost } from '../../runs/engine.js';
import { messageOf } from '../../text/errors.js';
import { readManifest } from '../manifest.js';
import { SCRIPTS, type ScriptName } from './scripts.js';

/** How long a command may take, in milliseconds: Redis answers at once, or is away. */
const COMMAND_TIMEOUT = 5_000;

/** How long a first connection is waited for, in milliseconds. */
const CONNECT_PATIENCE = 3_000;

/** How long a connection that nobody needs stays open, in milliseconds. */
const LINGER = 50;

/**
 * How long ioredis waits, in milliseconds, for a connection that it ends itself: also for one that has ended before, whose
 * end it never hears of, and with that a process would live on.
 */
const DISCONNECT_TIMEOUT = 500;

/** Redis did not do what it was asked, or nobody knows whether it did. */
export class RedisAwayError extends Error {
    override readonly name = 'RedisAwayError';
}

/** What the engine needs from npm, and the embedded one does not. */
interface Packages {
    readonly bullmq: typeof import('bullmq');
    readonly ioredis: Pick<typeof import('ioredis'), 'Redis'>;
}

/** A client that knows the scripts. */
export type Client = Redis &
    Record<ScriptName, (prefix: string, ...args: (string | number)[]) => Promise<unknown>>;

/**
 * The engine's own connection to Redis, for everything but BullMQ's queue. It is made when it is needed, and closed when
 * nobody holds it, so that a command's process comes to its end.
 */
export class Connection {
    #client: Client | undefined;
    /** Why Redis is away; undefined: it is not. */
    #detail: string | undefined;
    #awaySince = 0;
    #lastError: string | undefined;
    #pending = 0;
    #holds = 0;
    #idle: NodeJS.Timeout | undefined;

    private constructor(
        readonly packages: Packages,
        private readonly settings: RedisSettings,
        /** What all keys begin with. */
        readonly prefix: string,
        /** Told when Redis does not answer, or refuses, and when it is back. */
        private readonly host: Pick<EngineHost, 'emit' | 'recovered'> | undefined,
    ) {}

    /** @throws Error where the packages, or the app's name, are missing */
    static async to(
        settings: RedisSettings,
        prefix: string | Promise<string>,
        host?: Pick<EngineHost, 'emit' | 'recovered'>,
    ): Promise<Connection> {
        return new Connection(await loadPackages(), settings, await prefix, host);
    }

    /** Whether Redis did not do what it was asked, and no script has worked since. */
    get isAway(): boolean {
        return this.#detail !== undefined;
    }

    /** The name of a key. */
    readonly key = (name: string): string => `${this.prefix}:${name}`;

    /** The keys that begin with something, in full. */
    async keysOf(beginning: string): Promise<string[]> {
        const pattern = `${this.key(beginning).replace(/[[\]?*\\]/g, '\\$&')}*`;
        const keys = new Set<string>();
        for (let cursor = ''; cursor !== '0'; ) {
            const [next, found] = await this.use((client) =>
                client.scan(cursor || '0', 'MATCH', pattern, 'COUNT', 500),
            );
            for (const key of found) keys.add(key);
            cursor = next;
        }
        return [...keys];
    }

    /**
     * Runs a script. Where one works, Redis can be used: it may answer reads, and refuse what writes.
     *
     * @throws RedisAwayError
     */
    async script(name: ScriptName, ...args: (string | number)[]): Promise<unknown> {
        const answer = await this.use((client) => client[name](this.prefix, ...args));
        if (this.#detail !== undefined) {
            this.#detail = undefined;
            const after = Date.now() - this.#awaySince;
            this.host?.emit({ type: 'redis-back', place: this.settings.place, after });
            this.host?.recovered();
        }
        return answer;
    }

    /** Makes a client of ioredis that knows the scripts, and is not connected yet. */
    connect(options: Readonly<Record<string, unknown>>): Client {
        const { Redis } = this.packages.ioredis;
        const [first, second] = this.settings.arguments({
            lazyConnect: true,
            disconnectTimeout: DISCONNECT_TIMEOUT,
            ...options,
        });
        const client = typeof first === 'string' ? new Redis(first, second as object) : new Redis(first);
        // ioredis listens to a socket's first error alone. One of TLS may have a second, which nobody's would end the process.
        client.on('error', () => client.stream?.on('error', () => {}));
        // Without the database that was asked for, ioredis would go on in the first one, among the keys of others.
        client.on('error', ({ message }) => {
            if (/DB index|invalid DB/i.test(message)) client.disconnect();
        });
        for (const [name, lua] of Object.entries(SCRIPTS))
            client.defineCommand(name, { numberOfKeys: 1, lua });
        return client as Client;
    }

    /**
     * Does something with the connection, and with what makes keys of their names.
     *
     * @throws RedisAwayError where Redis did not do it; it may yet, where the answer was lost
     */
    async use<T>(work: (client: Client, key: Connection['key']) => Promise<T>): Promise<T> {
        this.#pending += 1;
        clearTimeout(this.#idle);
        try {
            return await work(await this.#ready(), this.key);
        } catch (error) {
            throw this.#went(error);
        } finally {
            this.#pending -= 1;
            this.#closeIfIdle();
        }
    }

    /**
     * Keeps the connection open.
     *
     * @returns a function that ends this
     */
    hold(): () => void {
        let isHeld = true;
        this.#holds += 1;
        clearTimeout(this.#idle);
        return () => {
            if (!isHeld) return;
            isHeld = false;
            this.#holds -= 1;
            this.#closeIfIdle();
        };
    }

    async #ready(): Promise<Client> {
        this.#client ??= this.#open();
        const client = this.#client;
        if (client.status === 'ready') return client;
        // Once it is known to be away, nobody waits for it but its own timers.
        if (this.isAway) throw new Error(this.#lastError ?? this.#detail);
        const stop = new AbortController();
        const { signal } = stop;
        const late = delay(CONNECT_PATIENCE, undefined, { signal }).then(() => {
            throw new Error(this.#lastError ?? `it did not answer within ${CONNECT_PATIENCE / 1000} s`);
        });
        try {
            await Promise.race([once(client, 'ready', { signal }), late]);
        } finally {
            stop.abort();
        }
        return client;
    }

    #open(): Client {
        const client = this.connect({
            commandTimeout: COMMAND_TIMEOUT,
            socketTimeout: 2 * COMMAND_TIMEOUT,
            maxRetriesPerRequest: 0,
            enableOfflineQueue: false,
            autoResendUnfulfilledCommands: false,
            retryStrategy: (times: number) => Math.min(1_000, 50 * times),
        });
        // The next attempt is another client's.
        client.on('end', () => {
            if (this.#client === client) this.#client = undefined;
        });
        client.on('error', (error) => {
            this.#lastError = error.message;
        });
        client.connect().catch(() => {});
        return client;
    }

    #went(cause: unknown): Error {
        const message = messageOf(cause);
        const isVague = /enableOfflineQueue|max retries per request/.test(message);
        const detail = this.settings.withoutSecrets((isVague && this.#lastError) || message);
        if (this.#detail === undefined) {
            this.#detail = detail;
            this.#awaySince = Date.now();
            this.host?.emit({ type: 'redis-away', place: this.settings.place, detail });
        }
        // Without its cause: an error of ioredis carries the command that failed, the password of AUTH, too.
        return new RedisAwayError(`Redis ${this.settings.place}: ${detail}`);
    }

    #closeIfIdle(): void {
        if (this.#holds > 0 || this.#pending > 0) return;
        clearTimeout(this.#idle);
        this.#idle = setTimeout(() => {
            this.#client?.disconnect();
            this.#client = undefined;
        }, LINGER);
    }
}

/** @throws Error that says what to install, where one of them is missing */
async function loadPackages(): Promise<Packages> {
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
 * What all keys of an app begin with, so that several can share a Redis: two apps, or the same one in two environments,
 * must not take one another's runs.
 *
 * @param environment the value of `NODE_ENV`, or what stands for it
 * @throws Error where the app has no name
 */
export async function prefixIn(environment: string): Promise<string> {
    const { path, name } = await readManifest();
    if (typeof name === 'string' && name !== '') return `bot:${name}:${environment}`;
    throw new Error(
        `${path} has no name, by which the app's keys in Redis could be told from those of others: give it one, or set bot.redisPrefix.`,
    );
}
