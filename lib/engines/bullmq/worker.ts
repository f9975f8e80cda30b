import { once, setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { toError } from '../../text/errors.js';
import type { Attempts } from './attempts.js';
import type { Client } from './connection.js';
import type { LocalProcess } from './local_process.js';
import { QUEUE, workerName } from './rows.js';

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
const LONGEST_RETRY = 500;

/** How long the end is waited for, in milliseconds; less than a server does. */
const CLOSE_PATIENCE = 3_000;

/** What was taken from the queue, until BullMQ knows what it came to. */
interface Taken {
    readonly job: Job;
    readonly token: string;
    /** What it came to. */
    value?: string;
    error?: Error;
}

/** What BullMQ's worker keeps for itself. */
interface Inside {
    readonly lockManager: { close(): Promise<void> };
    moveStalledJobsToWait(): Promise<void>;
}

/** The commands of ioredis that have no answer. */
interface Unanswered {
    readonly length: number;
    shift(): { readonly command: { reject(error: Error): void } } | undefined;
}

/** Takes runs out of the queue, over a connection of its own: BullMQ's worker, and what it needs to survive a Redis that is away. */
export class QueueWorker {
    #client: Client;
    readonly #taken = new Map<string, Taken>();
    readonly #checks: NodeJS.Timeout;
    readonly #resting = new AbortController();
    readonly #copies: Redis[] = [];
    #bullmq: Worker | undefined;
    #end: Promise<void> | undefined;
    #isOver = false;
    /** How far the clock of Redis is ahead, in milliseconds. */
    #ahead = 0;

    /** @param answersSince for how long Redis has answered without a pause, in milliseconds */
    constructor(
        private readonly process: LocalProcess,
        private readonly attempts: Attempts,
        private readonly locks: Locks,
        private readonly answersSince: () => number,
    ) {
        // Each run that waits for Redis listens to its end.
        setMaxListeners(0, this.resting);
        this.#client = this.#connect();
        void this.#begin(this.#client);
        this.#checks = setInterval(() => void this.#check(), locks.check);
    }

    /** Aborted from when on nothing more is taken. */
    get resting(): AbortSignal {
        return this.#resting.signal;
    }

    /** Waits for its runs, and lets go of its connections; where Redis is away, what they came to is not waited for long. */
    async close(): Promise<void> {
        this.#resting.abort();
        this.#end ??= this.#finish();
        const stop = new AbortController();
        const late = this.process.rested().then(() => pause(CLOSE_PATIENCE, stop.signal));
        await Promise.race([this.#end, late]);
        stop.abort();
        this.#isOver = true;
        clearInterval(this.#checks);
        for (const client of [this.#client, ...this.#copies]) end(client);
        // BullMQ renews locks for as long as it waits for a connection to end, which may be for ever.
        await (this.#bullmq as unknown as Inside | undefined)?.lockManager.close();
    }

    /**
     * Takes the locks of its runs again: Redis, or this process, has stood still, and they may have run out. What another
     * process has taken for lost meanwhile is told.
     */
    async lockAgain(): Promise<void> {
        if (this.#client.status !== 'ready') return;
        await Promise.all([...this.#taken.values()].map((taken) => this.#lock(taken)));
    }

    #connect(): Client {
        const client = this.process.connection.connect({
            lazyConnect: false,
            maxRetriesPerRequest: null,
            // A worker waits for runs longer than any command may take.
            commandTimeout: undefined,
            // Longer than any wait for a run: a connection that is dead without saying so.
            socketTimeout: 30_000,
            retryStrategy: (times: number) =>
                this.#isOver || (this.resting.aborted && this.#taken.size === 0)
                    ? null
                    : Math.min(LONGEST_RETRY, 50 * times),
        });
        client.on('ready', () => void this.lockAgain());
        // BullMQ waits for runs on a copy.
        const duplicate = client.duplicate.bind(client);
        client.duplicate = (...args) => {
            const copy = duplicate(...args);
            this.#copies.push(copy);
            return copy;
        };
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
                this.process.tell(error);
                await this.#bullmq?.close(true);
                await pause(BEGIN_AGAIN, resting);
            }
        }
    }

    #create(): Worker {
        const { host, connection, owner } = this.process;
        const { locks, attempts } = this;
        const { Worker } = connection.packages.bullmq;
        const bullmq = new Worker(QUEUE, (job, token = '') => this.#process(job, token), {
            connection: this.#client,
            prefix: connection.prefix,
            name: workerName(owner),
            concurrency: host.concurrency,
            lockDuration: locks.lock,
            stalledInterval: locks.check,
            // After an outage every lock has run out, and nobody is dead: the check is ours to call.
            skipStalledCheck: true,
            // How often a run may be run again is for its job to say.
            maxStalledCount: Number.MAX_SAFE_INTEGER,
            runRetryDelay: 1_000,
            settings: { backoffStrategy: (_made, _type, error) => attempts.delayAfter(error) },
        });
        const ended = (job: Job | undefined) => {
            this.#taken.delete(job?.id ?? '');
            if (job?.finishedOn) attempts.ended(job);
        };
        bullmq.on('completed', ended);
        bullmq.on('failed', ended);
        bullmq.on('error', (error) => {
            const [, id] = LOCK_ERROR.exec(error.message) ?? [];
            const taken = id === undefined ? undefined : this.#taken.get(id);
            if (id === undefined) this.process.tell(error);
            else if (taken) void this.#settle(taken).catch((cause) => this.process.tell(cause));
        });
        return bullmq;
    }

    async #process(job: Job, token: string): Promise<string> {
        const taken: Taken = { job, token };
        this.#taken.set(job.id ?? '', taken);
        try {
            taken.value = await this.attempts.perform(job, token);
            await this.#makeSure(taken);
            return taken.value;
        } catch (error) {
            const { DelayedError, WaitingError } = this.process.connection.packages.bullmq;
            // It is back in the queue.
            if (error instanceof DelayedError || error instanceof WaitingError)
                this.#taken.delete(job.id ?? '');
            else {
                taken.error = toError(error);
                await this.#makeSure(taken);
            }
            throw error;
        }
    }

    // BullMQ takes no outcome without its lock, which may have run out if Redis does not answer at this moment.
    async #makeSure(taken: Taken): Promise<void> {
        if (this.answersSince() === 0) await this.#lock(taken);
    }

    /** Takes the lock of a run again, unless it is another's by now. */
    async #lock({ job, token }: Taken): Promise<void> {
        const id = job.id ?? '';
        const isOurs = await this.#isOurs(id, token).catch(() => true);
        if (!isOurs && this.#taken.get(id)?.token === token && !job.finishedOn) this.attempts.lost(id);
    }

    // The lock was missing when BullMQ was told of the outcome: it ran out on the way, or the answer of a first try was lost.
    async #settle(taken: Taken): Promise<void> {
        const { attempts } = this;
        const { job, token, value, error } = taken;
        const id = job.id ?? '';
        if (value === undefined && error === undefined) return this.#lock(taken);
        this.#taken.delete(id);
        const isOurs = await this.#isOurs(id, token);
        if (isOurs && error) await job.moveToFailed(error, token, false);
        else if (isOurs) await job.moveToCompleted(value, token, false);
        const key = this.process.connection.key(`${QUEUE}:${id}`);
        const [returned, reason] = await this.#client.hmget(key, 'returnvalue', 'failedReason');
        const isTold = error ? reason === error.message : returned === JSON.stringify(value);
        if (!isTold) attempts.lost(id);
        else if (!error || attempts.delayAfter(error) < 0) attempts.ended(job);
    }

    // Where its lock has run out it is taken again.
    async #isOurs(id: string, token: string): Promise<boolean> {
        const { prefix } = this.process.connection;
        return (await this.#client.botLock(prefix, id, token, this.locks.lock)) === 1;
    }

    // Only who has had answers for the time of a lock knows that a run without one has lost its process.
    async #check(): Promise<void> {
        const worker = this.#bullmq as unknown as Inside | undefined;
        if (!worker || this.#client.status !== 'ready' || this.answersSince() < this.locks.lock) return;
        const sentAt = Date.now();
        try {
            const guarded = this.#client.botGuard(this.process.connection.prefix, sentAt + this.#ahead);
            const [time] = await Promise.all([guarded, worker.moveStalledJobsToWait()]);
            if (Date.now() - sentAt < 500) this.#ahead = Number(time) - Date.now();
        } catch (error) {
            this.process.tell(error);
        }
    }

    // BullMQ waits for ever for the end of a connection that is about to be tried again: it has to have ended before.
    async #finish(): Promise<void> {
        const stop = new AbortController();
        const { signal } = stop;
        if (this.#client.status !== 'ready' && this.#taken.size === 0) {
            const ended = once(this.#client, 'end', { signal }).catch(() => {});
            await Promise.race([ended, pause(LONGEST_RETRY + 500, signal)]);
        }
        stop.abort();
        await this.#bullmq?.close();
    }
}

/**
 * Ends a connection, and fails what it was asked. ioredis 6.0 keeps that for the next connection where this one was lost, and
 * BullMQ's timer for the answer would keep the process alive.
 */
function end(client: Redis): void {
    const { prevCommandQueue: left } = client as unknown as { prevCommandQueue?: Unanswered | null };
    const ended = new Error('The connection has ended.');
    client.disconnect();
    (client as unknown as { flushQueue(error: Error): void }).flushQueue(ended);
    while (left && left.length > 0) left.shift()?.command.reject(ended);
}

const LOCK_ERROR =
    /(?:Missing lock for job|Lock mismatch for job|Missing key for job|could not renew lock for job|^Job) (\S+?)(?:\. | is not in the active|$)/;

/** Waits, unless it is ended before. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    await delay(milliseconds, undefined, { signal }).catch(() => {});
}
