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
    /** Whether it was told that Redis is away, and not yet that it is back. */
    #isToldAway = false;
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

    /** Whether Redis did not answer when it was asked last. */
    get isAway(): boolean {
        return this.#detail !== undefined;
    }

    /** The name of a key. */
    key(name: string): string {
        return `${this.prefix}:${name}`;
    }

    /**
     * Runs a script.
     *
     * @throws RedisAwayError
     */
    script(name: ScriptName, ...args: (string | number)[]): Promise<unknown> {
        return this.use((client) => (client as ScriptRunner)[name](this.prefix, ...args));
    }

    /**
     * Sends commands together, without waiting for one before the next.
     *
     * @param ask sends them
     * @returns their answers in order
     * @throws RedisAwayError
     */
    all<T>(ask: (client: Redis) => Promise<T>[]): Promise<T[]> {
        return this.use((client) => Promise.all(ask(client)));
    }

    /**
     * Does something with the connection.
     *
     * @param work what
     * @returns what it returned
     * @throws RedisAwayError where Redis did not do it; it may yet, where the answer was lost
     */
    async use<T>(work: (client: Redis) => Promise<T>): Promise<T> {
        this.#pending += 1;
        clearTimeout(this.#idle);
        try {
            const answer = await work(await this.#ready());
            this.#came();
            return answer;
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
        if (this.isAway) throw new Error(this.#detail);
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
        if (!this.#isToldAway) return;
        this.#detail = undefined;
        this.#isToldAway = false;
        this.listener.back();
    }

    #went(cause: unknown): Error {
        const message = messageOf(cause);
        const isVague = /enableOfflineQueue|max retries per request/.test(message);
        const detail = this.settings.withoutSecrets((isVague && this.#lastError) || message);
        this.#detail ??= detail;
        if (!this.#isToldAway) {
            this.#isToldAway = true;
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
            this.#detail = undefined;
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
