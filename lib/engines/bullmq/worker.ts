import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { toError } from '../../text/errors.js';
import { sleep, systemClock } from '../../time/clock.js';
import type { Attempts, Taken } from './attempts.js';
import type { Client } from './connection.js';
import { KEPT } from './lanes.js';
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
    readonly #client: Client;
    readonly #checks: NodeJS.Timeout;
    /** Aborted from when on nothing more is taken. */
    readonly #resting = new AbortController();
    readonly #copies: Redis[] = [];
    #bullmq: Worker | undefined;
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
        this.#client = this.#connect();
        void this.#begin();
        this.#checks = setInterval(() => void this.#check(), locks.check);
    }

    /** Waits for its runs, and lets go of its connections; where Redis is away, what they came to is not waited for long. */
    async close(): Promise<void> {
        this.#resting.abort();
        const stop = new AbortController();
        const late = this.process.rested().then(() => sleep(systemClock, CLOSE_PATIENCE, stop.signal));
        await Promise.race([this.#finish(), late]);
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
        await Promise.all([...this.attempts.taken.values()].map((taken) => this.#lock(taken)));
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
                this.#isOver || (this.#resting.signal.aborted && this.attempts.taken.size === 0)
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
    async #begin(): Promise<void> {
        const client = this.#client;
        const { signal } = this.#resting;
        while (!signal.aborted) {
            if (client.status !== 'ready') await once(client, 'ready').catch(() => {});
            if (client.status !== 'ready' || signal.aborted) continue;
            try {
                this.#bullmq = this.#create();
                await this.#bullmq.waitUntilReady();
                return;
            } catch (error) {
                if (signal.aborted) return;
                this.process.tell(error);
                await this.#bullmq?.close(true);
                await sleep(systemClock, BEGIN_AGAIN, signal);
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
            concurrency: host.config.concurrency,
            lockDuration: locks.lock,
            stalledInterval: locks.check,
            // After an outage every lock has run out, and nobody is dead: the check is ours to call.
            skipStalledCheck: true,
            // How often a run may be run again is for its job to say.
            maxStalledCount: Number.MAX_SAFE_INTEGER,
            runRetryDelay: 1_000,
            removeOnComplete: { age: KEPT },
            removeOnFail: { age: KEPT },
            settings: { backoffStrategy: (_made, _type, error) => attempts.delayAfter(error) },
        });
        const ended = (job: Job | undefined) => {
            const taken = attempts.taken.get(job?.id ?? '');
            // Given up as lost, it may have come again.
            if (!taken || taken.job !== job) return;
            attempts.taken.delete(job.id ?? '');
            if (job.finishedOn) attempts.ended(taken);
        };
        bullmq.on('completed', ended);
        bullmq.on('failed', ended);
        bullmq.on('lockRenewalFailed', (ids) => {
            for (const taken of ids.flatMap((id) => attempts.taken.get(id) ?? [])) void this.#lock(taken);
        });
        bullmq.on('error', (error) => {
            if (!error.message.startsWith('could not renew lock')) this.process.tell(error);
        });
        return bullmq;
    }

    async #process(job: Job, token: string): Promise<string> {
        const { DelayedError, WaitingError } = this.process.connection.packages.bullmq;
        const taken: Taken = { job, token };
        this.attempts.taken.set(job.id ?? '', taken);
        this.#insist(taken);
        try {
            taken.value = await this.attempts.perform(taken);
            return taken.value;
        } catch (cause) {
            taken.error = toError(cause);
            throw cause;
        } finally {
            const isBack = taken.error instanceof DelayedError || taken.error instanceof WaitingError;
            if (isBack) this.attempts.taken.delete(job.id ?? '');
            // BullMQ takes no outcome without its lock, which may have run out if Redis does not answer at this moment.
            else if (this.answersSince() === 0) await this.#lock(taken);
        }
    }

    /** Takes the lock of a run again, unless it is another's by now. */
    async #lock(taken: Taken): Promise<void> {
        const { attempts } = this;
        if (await this.#isOurs(taken).catch(() => true)) return;
        // BullMQ may have just taken what it came to.
        await nextTurn();
        const { id = '', finishedOn } = taken.job;
        if (attempts.taken.get(id) === taken && !finishedOn) attempts.lost(taken);
    }

    /** Lets BullMQ take what a job came to although its lock has run out on the way. */
    #insist(taken: Taken): void {
        const { job } = taken;
        const [complete, fail] = [job.moveToCompleted.bind(job), job.moveToFailed.bind(job)];
        job.moveToCompleted = (...args) => this.#move(taken, () => complete(...args));
        // BullMQ also wants to fail what it could not complete, and that is no failure of the run.
        job.moveToFailed = (error, ...args) =>
            taken.error ? this.#move(taken, () => fail(error, ...args)) : Promise.reject(error);
    }

    async #move<T>(taken: Taken, move: () => Promise<T>): Promise<T | undefined> {
        const { attempts } = this;
        const { job, value, error } = taken;
        try {
            return await move();
        } catch {
            if (await this.#isOurs(taken)) return move();
        }
        // It may be done already: the answer was lost.
        const key = this.process.connection.key(`${QUEUE}:${job.id}`);
        const [returned, reason] = await this.#client.hmget(key, 'returnvalue', 'failedReason');
        const isDone = error ? reason === error.message : returned === JSON.stringify(value);
        if (!isDone) attempts.lost(taken);
        else if (!error || attempts.delayAfter(error) < 0) job.finishedOn = Date.now();
        return undefined;
    }

    // Where its lock has run out it is taken again.
    async #isOurs({ job, token }: Taken): Promise<boolean> {
        const { prefix } = this.process.connection;
        return (await this.#client.botLock(prefix, job.id ?? '', token, this.locks.lock)) === 1;
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
        if (this.#client.status !== 'ready' && this.attempts.taken.size === 0) {
            const ended = once(this.#client, 'end', { signal }).catch(() => {});
            await Promise.race([ended, sleep(systemClock, LONGEST_RETRY + 500, signal)]);
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
