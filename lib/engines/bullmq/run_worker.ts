import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { SkipReason } from '../../events.js';
import type { JobPlan } from '../../job_plan.js';
import type { RedisSettings } from '../../redis_settings.js';
import type { Run } from '../../run.js';
import { toError } from '../../stray_errors.js';
import type { EngineHost } from '../engine.js';
import type { Claim, Ledger } from './ledger.js';
import { isWrongDatabase, type Link, RedisAwayError } from './link.js';
import type { Connect, Packages } from './packages.js';
import { type Payload, readPayload } from './payload.js';
import { QUEUE } from './run_producer.js';

/** How long a run is a worker's own without being renewed, in milliseconds. */
const LOCK = 10_000;

/** How often runs without a lock are looked for, in milliseconds. */
const STALLED_CHECK = 5_000;

/** When a worker is tried again that could not begin, in milliseconds. */
const BEGIN_AGAIN = 5_000;

/** When a run comes again whose lane is taken, or whose process still shows life, in milliseconds. */
const COME_AGAIN = 2_000;

/** How long a run goes round that nobody knows the job of: another release, which does, may be about to start. */
const UNKNOWN_PATIENCE = 5 * 60_000;

/** How long it takes at most until a lost connection is tried again, in milliseconds. */
const LONGEST_RETRY = 1_000;

/** How long the end is waited for, in milliseconds; less than a server does. */
const CLOSE_PATIENCE = 3_000;

/** What a worker works with. */
export interface RunWorkerParts {
    readonly packages: Packages;
    readonly connect: Connect;
    readonly settings: RedisSettings;
    readonly link: Link;
    readonly ledger: Ledger;
    readonly host: EngineHost;
    /** How many runs go at once. */
    readonly concurrency: number;
    /** Told of a claimed run, to be executed here; resolves with when its next attempt is to come, if one is. */
    execute(run: Run): Promise<{ retryIn: number | undefined }>;
    /** Told of a run that does not start. */
    skip(run: Run, reason: SkipReason): void;
    /** Told of a run that waits for a lane that is free now. */
    wake(id: string): void;
}

/** A run failed, and is to be tried again: how long BullMQ is to wait. */
class NextAttempt extends Error {
    constructor(
        readonly delay: number,
        cause: Error,
    ) {
        super(cause.message, { cause });
        if (cause.stack !== undefined) this.stack = cause.stack;
    }
}

/** Takes runs out of the queue, and has them executed in this process. */
export class RunWorker {
    readonly #client: Redis;
    #bullmq: Worker | undefined;
    #closing: Promise<void> | undefined;

    constructor(private readonly parts: RunWorkerParts) {
        this.#client = parts.connect(parts.settings, {
            lazyConnect: false,
            maxRetriesPerRequest: null,
            // A worker waits for runs longer than any command may take.
            commandTimeout: undefined,
            // Longer than any wait for a run: a connection that is dead without saying so.
            socketTimeout: 30_000,
            retryStrategy: (times: number) => (this.#closing ? null : Math.min(LONGEST_RETRY, 50 * times)),
        });
        this.#client.on('error', (error) => {
            if (isWrongDatabase(error)) this.#client.disconnect();
        });
        void this.#begin();
    }

    // BullMQ's first look at a connection may fail, and is not repeated: it gets another try, and one that is ready.
    async #begin(): Promise<void> {
        while (!this.#closing) {
            if (this.#client.status !== 'ready') await once(this.#client, 'ready').catch(() => {});
            if (this.#client.status !== 'ready' || this.#closing) continue;
            try {
                this.#bullmq = this.#create();
                await this.#bullmq.waitUntilReady();
                return;
            } catch (error) {
                if (this.#closing) return;
                this.#tell(toError(error));
                await this.#bullmq?.close(true);
                await delay(BEGIN_AGAIN);
            }
        }
    }

    #create(): Worker {
        const { packages, link, concurrency } = this.parts;
        const bullmq = new packages.bullmq.Worker(QUEUE, (job, token) => this.#process(job, token), {
            connection: this.#client,
            prefix: link.prefix,
            concurrency,
            lockDuration: LOCK,
            stalledInterval: STALLED_CHECK,
            // How often a run may be run again is for its job to say.
            maxStalledCount: Number.MAX_SAFE_INTEGER,
            runRetryDelay: 1_000,
            settings: {
                backoffStrategy: (_made, _type, error) => (error instanceof NextAttempt ? error.delay : -1),
            },
        });
        bullmq.on('error', (error) => this.#tell(error));
        return bullmq;
    }

    /** Takes no more runs. */
    rest(): void {
        this.#closing ??= this.#end();
    }

    /** Waits for its runs, and lets go of its connections; where Redis is away it does not wait long. */
    async close(): Promise<void> {
        this.rest();
        const stop = new AbortController();
        const late = delay(CLOSE_PATIENCE, undefined, { signal: stop.signal }).catch(() => {});
        await Promise.race([this.#closing, late]);
        stop.abort();
        this.#client.disconnect();
    }

    // BullMQ waits for ever for the end of a connection that is about to be tried again: it has to have ended before.
    async #end(): Promise<void> {
        const stop = new AbortController();
        const { signal } = stop;
        if (this.#client.status !== 'ready') {
            const tries = delay(LONGEST_RETRY + 500, undefined, { signal });
            await Promise.race([once(this.#client, 'end', { signal }), tries]).catch(() => {});
        }
        stop.abort();
        await this.#bullmq?.close();
        this.#client.disconnect();
    }

    async #process(job: Job, token: string | undefined): Promise<string> {
        let payload: Payload;
        try {
            payload = readPayload(job.data);
        } catch (error) {
            return this.#refuse(job, {}, toError(error));
        }
        const plan = this.parts.host.planOf(payload.job);
        if (!plan?.runnable) return this.#unknown(job, token, payload, plan);
        const run = runOf(job, payload, plan);
        const claim = await this.#claim(run, payload, plan);
        if (claim === undefined) return this.#putBack(job, token);
        Object.assign(run, { attempt: Math.max(0, claim.attempt - 1), startedAt: claim.startedAt });
        switch (claim.answer) {
            case 'granted':
                return this.#execute(job, token, run, claim);
            case 'held':
            case 'wait':
                return this.#comeAgain(job, token);
            case 'taken':
                return 'decided elsewhere';
            case 'lost':
                return this.#lost(run, claim);
            default:
                return this.#skip(run, claim.answer === 'busy' ? 'overlap' : claim.answer);
        }
    }

    // Undefined where Redis stays away until the end: the run is still in the queue.
    async #claim(run: Run, payload: Payload, { settings }: JobPlan): Promise<Claim | undefined> {
        const { overlap, retries } = settings;
        const waits = overlap === 'queue' || overlap === 'replace';
        const queued = { catchesUp: payload.catchesUp === true, waits, retries };
        const nonce = randomUUID();
        while (!this.#closing) {
            try {
                const at = this.parts.host.clock.now();
                return await this.parts.ledger.claim(
                    run,
                    { at, isExclusive: overlap !== 'allow', queued },
                    nonce,
                );
            } catch (error) {
                if (!(error instanceof RedisAwayError)) throw error;
                await delay(1_000);
            }
        }
        return undefined;
    }

    async #execute(job: Job, token: string | undefined, run: Run, claim: Claim): Promise<string> {
        if (claim.afterDeath) {
            const error = new Error('its process died');
            const attempted = { ...run, attempt: claim.attempt - 1 };
            this.parts.host.emit({ type: 'run-retrying', run: attempted, error, delay: 0 });
        }
        const { retryIn } = await this.parts.execute(run);
        const { outcome, reason, error } = run;
        // The bot stops, and has not begun with it.
        if (outcome === 'skipped') return this.#putBack(job, token);
        if (retryIn !== undefined) {
            // As many attempts as this release's settings say; the release that has added the run may have had others.
            job.opts.attempts = job.attemptsMade + 2;
            throw new NextAttempt(retryIn, error ?? new Error('it is tried again'));
        }
        if (outcome !== 'succeeded') throw this.#unrecoverable(error ?? new Error(`${outcome}: ${reason}`));
        return 'succeeded';
    }

    #skip(run: Run, reason: SkipReason): string {
        this.parts.skip(run, reason);
        return `skipped: ${reason}`;
    }

    #lost(run: Run, { attempt, next }: Claim): never {
        const endedAt = this.parts.host.clock.now();
        Object.assign(run, { attempt, outcome: 'lost', reason: 'its process died', endedAt });
        this.parts.host.emit({ type: 'run-ended', run });
        if (next !== undefined) this.parts.wake(next);
        throw this.#unrecoverable(new Error('its process died'));
    }

    async #putBack(job: Job, token: string | undefined): Promise<never> {
        await job.moveToWait(token);
        throw new this.parts.packages.bullmq.WaitingError();
    }

    async #comeAgain(job: Job, token: string | undefined): Promise<never> {
        await job.moveToDelayed(Date.now() + COME_AGAIN, token);
        throw new this.parts.packages.bullmq.DelayedError();
    }

    #unknown(
        job: Job,
        token: string | undefined,
        payload: Payload,
        plan: JobPlan | undefined,
    ): Promise<never> {
        if (Date.now() < job.timestamp + UNKNOWN_PATIENCE) return this.#comeAgain(job, token);
        const why = plan
            ? `The background job "${payload.job}" cannot run: ${plan.problems[0]?.reason}`
            : `There is no background job "${payload.job}" in any process that works: deploy it, or take the run for done.`;
        return this.#refuse(job, payload, new Error(why));
    }

    // A run that cannot be made of what is in the queue fails, and is recorded, without anything having been run.
    async #refuse(job: Job, payload: Partial<Payload>, error: Error): Promise<never> {
        const at = this.parts.host.clock.now();
        const given = typeof payload.job === 'string' ? payload.job : job.name;
        const run = runOf(job, { args: [], ...payload, job: given }, undefined);
        Object.assign(run, { attempt: 1, outcome: 'failed', error, startedAt: at, endedAt: at });
        await this.parts.ledger.finish(run).catch((cause) => this.#tell(toError(cause)));
        this.parts.host.emit({ type: 'run-ended', run });
        throw this.#unrecoverable(error);
    }

    #unrecoverable(cause: Error): Error {
        const error = new this.parts.packages.bullmq.UnrecoverableError(`${cause.name}: ${cause.message}`);
        if (cause.stack !== undefined) error.stack = cause.stack;
        return error;
    }

    // Of the connection the link tells; a lock that was lost while Redis was away is the affair of whoever has the run now.
    #tell(error: Error): void {
        const { link, settings, host } = this.parts;
        const isOfConnection = 'code' in error || 'syscall' in error || error instanceof RedisAwayError;
        if (link.isAway || isOfConnection || /connection|lock|socket|active state/i.test(error.message))
            return;
        host.emit({ type: 'engine-failed', error: new Error(settings.withoutSecrets(error.message)) });
    }
}

function runOf(
    { id = '' }: Job,
    payload: Partial<Payload> & Pick<Payload, 'job' | 'args'>,
    plan: JobPlan | undefined,
): Run {
    const { job, schedule, args, tenant, scheduledAt } = payload;
    const ending = { endedAt: undefined, outcome: undefined, reason: undefined, error: undefined };
    return {
        id,
        job,
        file: plan?.file,
        schedule,
        args,
        tenant,
        scheduledAt,
        manual: false,
        attempt: 0,
        startedAt: undefined,
        ...ending,
    };
}
