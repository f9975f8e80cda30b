import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { RedisSettings } from '../../config/redis_settings.js';
import { messageOf } from '../../text/errors.js';
import type { Connect } from './packages.js';
import { SCRIPTS, type ScriptName } from './scripts.js';

/** How long a command may take, in milliseconds: Redis answers at once, or is away. */
const COMMAND_TIMEOUT = 5_000;

/** How long a first connection is waited for, in milliseconds. */
const CONNECT_PATIENCE = 3_000;

/** How long a connection that nobody needs stays open, in milliseconds. */
const LINGER = 50;

/** What a connection tells of. */
export interface ConnectionListener {
    /** Redis does not answer, or refuses; told once until it is back. */
    away(detail: string): void;
    /** It answers again. */
    back(): void;
}

/** Redis did not do what it was asked, or nobody knows whether it did. */
export class RedisAwayError extends Error {
    override readonly name = 'RedisAwayError';
}

type ScriptRunner = Redis &
    Record<ScriptName, (prefix: string, ...args: (string | number)[]) => Promise<unknown>>;

/**
 * The engine's own connection to Redis, for everything but BullMQ's queue. It is made when it is needed, and closed when
 * nobody holds it, so that a command's process comes to its end.
 */
export class Connection {
    #client: ScriptRunner | undefined;
    #detail: string | undefined;
    #lastError: string | undefined;
    #pending = 0;
    #holds = 0;
    #idle: NodeJS.Timeout | undefined;

    /**
     * @param settings where Redis is
     * @param prefix what all keys begin with
     * @param connect makes a client
     * @param listener told when Redis goes away, and when it is back
     */
    constructor(
        private readonly settings: RedisSettings,
        readonly prefix: string,
        private readonly connect: Connect,
        private readonly listener: ConnectionListener,
    ) {}

    /** Whether Redis did not do what it was asked, and no script has worked since. */
    get isAway(): boolean {
        return this.#detail !== undefined;
    }

    /** The name of a key. */
    readonly key = (name: string): string => `${this.prefix}:${name}`;

    /**
     * Runs a script. Where one works, Redis can be used: it may answer reads, and refuse what writes.
     *
     * @throws RedisAwayError
     */
    async script(name: ScriptName, ...args: (string | number)[]): Promise<unknown> {
        const answer = await this.use((client) => this.run(client, name, ...args));
        this.#came();
        return answer;
    }

    /** Runs a script together with other commands. */
    run(client: Redis, name: ScriptName, ...args: (string | number)[]): Promise<unknown> {
        return (client as ScriptRunner)[name](this.prefix, ...args);
    }

    /**
     * Does something with the connection.
     *
     * @throws RedisAwayError where Redis did not do it; it may yet, where the answer was lost
     */
    async use<T>(work: (client: Redis) => Promise<T>): Promise<T> {
        this.#pending += 1;
        clearTimeout(this.#idle);
        try {
            return await work(await this.#ready());
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

    async #ready(): Promise<Redis> {
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

    #open(): ScriptRunner {
        const client = this.connect(this.settings, {
            commandTimeout: COMMAND_TIMEOUT,
            socketTimeout: 2 * COMMAND_TIMEOUT,
            maxRetriesPerRequest: 0,
            enableOfflineQueue: false,
            autoResendUnfulfilledCommands: false,
            retryStrategy: (times: number) => Math.min(1_000, 50 * times),
        });
        for (const [name, lua] of Object.entries(SCRIPTS))
            client.defineCommand(name, { numberOfKeys: 1, lua });
        client.on('error', (error) => {
            this.#lastError = error.message;
            if (!isWrongDatabase(error)) return;
            client.disconnect();
            // The next attempt is another connection's.
            if (this.#client === client) this.#client = undefined;
        });
        client.connect().catch(() => {});
        return client as ScriptRunner;
    }

    #came(): void {
        if (this.#detail === undefined) return;
        this.#detail = undefined;
        this.listener.back();
    }

    #went(cause: unknown): Error {
        const message = messageOf(cause);
        const isVague = /enableOfflineQueue|max retries per request/.test(message);
        const detail = this.settings.withoutSecrets((isVague && this.#lastError) || message);
        if (this.#detail === undefined) {
            this.#detail = detail;
            this.listener.away(detail);
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

/**
 * Tells whether Redis does not have the database that was asked for. ioredis would go on in the first one, among the keys
 * of others.
 *
 * @param error what a client has emitted
 */
export function isWrongDatabase({ message }: Error): boolean {
    return /DB index|invalid DB/i.test(message);
}
