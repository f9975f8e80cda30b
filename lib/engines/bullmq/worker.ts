import { once, setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RedisSettings } from '../../config/redis_settings.js';
import { toError } from '../../text/errors.js';
import { isWrongDatabase } from './connection.js';
import type { Connect, Packages } from './packages.js';
import { SCRIPTS } from './scripts.js';

/** The name of the queue; BullMQ puts the prefix in front. */
export const QUEUE = 'queue';

/** How long a death takes to be found. */
export interface Locks {
    /** How long a run is a worker's own without being renewed, in milliseconds. */
    readonly lock: number;
    /** How often runs without a lock are looked for, in milliseconds. */
    readonly check: number;
}

/** When a worker is tried again that could not begin, in milliseconds. */
const BEGIN_AGAIN = 5_000;

/** How long it takes at most until a lost connection is tried again, in milliseconds. */
const LONGEST_RETRY = 1_000;

/** How long the end is waited for, in milliseconds; less than a server does. */
const CLOSE_PATIENCE = 3_000;

/** What a consumer works with. */
export interface QueueWorkerParts {
    readonly packages: Packages;
    readonly connect: Connect;
    readonly settings: RedisSettings;
    /** What all keys begin with. */
    readonly prefix: string;
    /** How many runs go at once. */
    readonly concurrency: number;
    readonly locks: Locks;
    /** Does what is to be done with something from the queue; what it returns is kept with it. */
    process(job: Job, token: string | undefined): Promise<string>;
    /** Told when BullMQ has what a job came to. */
    ended(job: Job): void;
    /** Told that a job is not its own any more, because another has taken it for lost. */
    lost(id: string): void;
    /** Tells how long BullMQ is to wait, in milliseconds, before it brings back what failed with an error; -1: it is not. */
    delayAfter(error: Error | undefined): number;
    /** Told of what goes wrong besides. */
    failed(error: Error): void;
}

type Relocking = Redis & { botRelock(...args: (string | number)[]): Promise<unknown> };

/** Takes what is in the queue out of it, over a connection of its own: BullMQ's worker, and what it needs to survive. */
export class QueueWorker {
    #client: Redis;
    /** The locks of the runs that go on, by their ids. */
    readonly #tokens = new Map<string, string>();
    #connectedSince: number | undefined;
    #checks: NodeJS.Timeout | undefined;
    readonly #resting = new AbortController();
    #bullmq: Worker | undefined;
    #end: Promise<void> | undefined;

    constructor(private readonly parts: QueueWorkerParts) {
        // Each run that waits for Redis listens to its end.
        setMaxListeners(0, this.resting);
        this.#client = this.#connect();
        void this.#begin(this.#client);
        this.#checks = setInterval(() => void this.#check(), parts.locks.check);
    }

    /** Aborted from when on nothing more is taken. */
    get resting(): AbortSignal {
        return this.#resting.signal;
    }

    /** Takes nothing more. */
    rest(): void {
        this.#resting.abort();
        this.#end ??= this.#finish();
    }

    /** Waits for what it has taken, and lets go of its connections; where Redis is away it does not wait long. */
    async close(): Promise<void> {
        this.rest();
        if (this.#tokens.size > 0) return this.#end;
        const stop = new AbortController();
        await Promise.race([this.#end, pause(CLOSE_PATIENCE, stop.signal)]);
        stop.abort();
        clearInterval(this.#checks);
        this.#client.disconnect();
    }

    #connect(): Redis {
        const client = this.parts.connect(this.parts.settings, {
            lazyConnect: false,
            maxRetriesPerRequest: null,
            // A worker waits for runs longer than any command may take.
            commandTimeout: undefined,
            // Longer than any wait for a run: a connection that is dead without saying so.
            socketTimeout: 30_000,
            retryStrategy: (times: number) =>
                this.resting.aborted ? null : Math.min(LONGEST_RETRY, 50 * times),
        });
        client.defineCommand('botRelock', { numberOfKeys: 1, lua: SCRIPTS.botRelock });
        client.on('ready', () => {
            this.#connectedSince = Date.now();
            this.#lockAgain(client);
        });
        client.on('close', () => {
            this.#connectedSince = undefined;
        });
        client.on('error', (error) => {
            if (!isWrongDatabase(error)) return;
            client.disconnect();
            if (this.#client === client) void this.#beginAnew();
        });
        return client;
    }

    // BullMQ's first look at a connection may fail, and is not repeated: it gets another try, and one that is ready.
    async #begin(client: Redis): Promise<void> {
        const { resting } = this;
        const isWanted = () => !resting.aborted && this.#client === client;
        while (isWanted()) {
            if (client.status !== 'ready') await once(client, 'ready').catch(() => {});
            if (client.status !== 'ready' || !isWanted()) continue;
            try {
                this.#bullmq = this.#create();
                await this.#bullmq.waitUntilReady();
                return;
            } catch (error) {
                if (!isWanted()) return;
                this.parts.failed(toError(error));
                await this.#bullmq?.close(true);
                await pause(BEGIN_AGAIN, resting);
            }
        }
    }

    async #beginAnew(): Promise<void> {
        const lost = this.#bullmq;
        this.#bullmq = undefined;
        await Promise.race([lost?.close(true), pause(CLOSE_PATIENCE, this.resting)]);
        await pause(BEGIN_AGAIN, this.resting);
        if (this.resting.aborted) return;
        this.#client = this.#connect();
        await this.#begin(this.#client);
    }

    #create(): Worker {
        const { packages, prefix, concurrency, delayAfter, failed, ended, lost, locks } = this.parts;
        const process = async (job: Job, token?: string) => {
            const id = job.id ?? '';
            this.#tokens.set(id, token ?? '');
            try {
                return await this.parts.process(job, token);
            } finally {
                setImmediate(() => this.#tokens.get(id) === token && this.#tokens.delete(id));
            }
        };
        const bullmq = new packages.bullmq.Worker(QUEUE, process, {
            connection: this.#client,
            prefix,
            concurrency,
            lockDuration: locks.lock,
            stalledInterval: locks.check,
            // After an outage every lock has run out, and nobody is dead: the check is ours to call.
            skipStalledCheck: true,
            // How often a run may be run again is for its job to say.
            maxStalledCount: Number.MAX_SAFE_INTEGER,
            runRetryDelay: 1_000,
            settings: { backoffStrategy: (_made, _type, error) => delayAfter(error) },
        });
        bullmq.on('completed', ended);
        bullmq.on('failed', (job) => job?.finishedOn !== undefined && ended(job));
        bullmq.on('error', (error) => {
            const [, id] =
                /(?:Missing lock for job|Lock mismatch for job|Missing key for job|^Job) (\S+?)(?:\. | is not in the active)/.exec(
                    error.message,
                ) ?? [];
            if (id === undefined) failed(error);
            else lost(id);
        });
        return bullmq;
    }

    // Only who has been connected for the time of a lock knows that a run without one has lost its process.
    async #check(): Promise<void> {
        const { lock } = this.parts.locks;
        if (this.#connectedSince === undefined || Date.now() - this.#connectedSince < lock) return;
        const worker = this.#bullmq as unknown as { moveStalledJobsToWait(): Promise<void> } | undefined;
        await worker?.moveStalledJobsToWait().catch((error: unknown) => this.parts.failed(toError(error)));
    }

    // While Redis stood still the locks of all runs may have run out: they are taken again before anybody looks.
    #lockAgain(client: Redis): void {
        const { prefix, locks } = this.parts;
        for (const [id, token] of this.#tokens)
            (client as Relocking).botRelock(prefix, id, token, locks.lock).catch(() => {});
    }

    // BullMQ waits for ever for the end of a connection that is about to be tried again: it has to have ended before.
    async #finish(): Promise<void> {
        const stop = new AbortController();
        const { signal } = stop;
        if (this.#client.status !== 'ready') {
            const ended = once(this.#client, 'end', { signal }).catch(() => {});
            await Promise.race([ended, pause(LONGEST_RETRY + 500, signal)]);
        }
        stop.abort();
        await this.#bullmq?.close();
        clearInterval(this.#checks);
        this.#client.disconnect();
    }
}

/**
 * Waits, unless it is ended before.
 *
 * @param milliseconds how long
 * @param signal ends it once it is aborted
 */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    await delay(milliseconds, undefined, { signal }).catch(() => {});
}
