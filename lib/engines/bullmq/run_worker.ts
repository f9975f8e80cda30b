import { randomUUID } from 'node:crypto';
import type { Job } from 'bullmq';
import type { JobPlan } from '../../jobs/job_plan.js';
import type { EngineHost } from '../../runs/engine.js';
import type { SkipReason } from '../../runs/events.js';
import { createRun, type Run } from '../../runs/run.js';
import { toError } from '../../runs/stray_errors.js';
import { sleep, systemClock } from '../../time/clock.js';
import { PROCESS_DIED } from '../records.js';
import { Consumer, type ConsumerOptions } from './consumer.js';
import { ifAway, type Link, RedisAwayError } from './link.js';
import { type Payload, readPayload } from './payload.js';
import type { Claim, RedisRuns } from './runs.js';

/** When a run comes again whose lane is taken, or whose process still shows life, in milliseconds. */
const COME_AGAIN = 2_000;

/** When a claim is tried again while Redis is away, in milliseconds. */
const CLAIM_AGAIN = 1_000;

/** When a run comes again that this process does not know the job of, in milliseconds: soon, or newer slots overtake it. */
const UNKNOWN_AGAIN = 500;

/** How long a run goes round that nobody knows the job of: another release, which does, may be about to start. */
const LONGEST_UNKNOWN = 5 * 60_000;

/** What a worker works with. */
export interface RunWorkerOptions
    extends Omit<ConsumerOptions, 'prefix' | 'process' | 'delayAfter' | 'failed'> {
    readonly link: Link;
    readonly runs: RedisRuns;
    readonly host: EngineHost;
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

/** Has the runs of the queue executed in this process: claims each, and says what becomes of it. */
export class RunWorker {
    readonly #consumer: Consumer;

    constructor(private readonly options: RunWorkerOptions) {
        this.#consumer = new Consumer({
            ...options,
            prefix: options.link.prefix,
            process: (job, token) => this.#process(job, token),
            delayAfter: (error) => (error instanceof NextAttempt ? error.delay : -1),
            failed: (error) => this.#tell(error),
        });
    }

    /** Takes no more runs. */
    stop(): void {
        this.#consumer.stop();
    }

    /** Waits for its runs, and lets go of its connections; where Redis is away it does not wait long. */
    close(): Promise<void> {
        return this.#consumer.close();
    }

    async #process(job: Job, token: string | undefined): Promise<string> {
        let payload: Payload;
        try {
            payload = readPayload(job.data);
        } catch (error) {
            return this.#refuse(job, {}, toError(error));
        }
        const plan = this.options.host.planOf(payload.job);
        if (!plan?.runnable) return this.#unknown(job, token, payload, plan);
        const run = runOf(job, payload, plan.file);
        const claim = await this.#claim(run, payload, plan);
        if (claim === undefined) return this.#putBack(job, token);
        Object.assign(run, { attempt: Math.max(0, claim.attempt - 1), startedAt: claim.startedAt });
        switch (claim.answer) {
            case 'granted':
                return this.#execute(job, token, run, claim);
            case 'held':
            case 'wait':
                return this.#comeAgain(job, token, COME_AGAIN);
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
        const { stopping } = this.#consumer;
        while (!stopping.aborted) {
            const at = this.options.host.clock.now();
            const terms = { at, isExclusive: overlap !== 'allow', queued };
            const claim = await this.options.runs.claim(run, terms, nonce).catch(ifAway(undefined));
            if (claim) return claim;
            await sleep(systemClock, CLAIM_AGAIN, stopping);
        }
        return undefined;
    }

    async #execute(job: Job, token: string | undefined, run: Run, claim: Claim): Promise<string> {
        if (claim.afterDeath) {
            const error = new Error(PROCESS_DIED);
            const attempted = { ...run, attempt: claim.attempt - 1 };
            this.options.host.emit({ type: 'run-retrying', run: attempted, error, delay: 0 });
        }
        const { retryIn } = await this.options.execute(run);
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
        this.options.skip(run, reason);
        return `skipped: ${reason}`;
    }

    #lost(run: Run, { attempt, next }: Claim): never {
        const endedAt = this.options.host.clock.now();
        Object.assign(run, { attempt, outcome: 'lost', reason: PROCESS_DIED, endedAt });
        this.options.host.emit({ type: 'run-ended', run });
        if (next !== undefined) this.options.wake(next);
        throw this.#unrecoverable(new Error(PROCESS_DIED));
    }

    async #putBack(job: Job, token: string | undefined): Promise<never> {
        await job.moveToWait(token);
        throw new this.options.packages.bullmq.WaitingError();
    }

    async #comeAgain(job: Job, token: string | undefined, delay: number): Promise<never> {
        await job.moveToDelayed(Date.now() + delay, token);
        throw new this.options.packages.bullmq.DelayedError();
    }

    #unknown(job: Job, token: string | undefined, payload: Payload, plan?: JobPlan): Promise<never> {
        if (Date.now() < job.timestamp + LONGEST_UNKNOWN) return this.#comeAgain(job, token, UNKNOWN_AGAIN);
        const why = plan
            ? `The background job "${payload.job}" cannot run: ${plan.problems[0]?.reason}`
            : `There is no background job "${payload.job}" in any process that works: deploy it, or take the run for done.`;
        return this.#refuse(job, payload, new Error(why));
    }

    // A run that cannot be made of what is in the queue fails, and is recorded, without anything having been run.
    async #refuse(job: Job, payload: Partial<Payload>, error: Error): Promise<never> {
        const at = this.options.host.clock.now();
        const given = typeof payload.job === 'string' ? payload.job : job.name;
        const run = runOf(job, { args: [], ...payload, job: given });
        Object.assign(run, { attempt: 1, outcome: 'failed', error, startedAt: at, endedAt: at });
        await this.options.runs.finish(run).catch((cause) => this.#tell(toError(cause)));
        this.options.host.emit({ type: 'run-ended', run });
        throw this.#unrecoverable(error);
    }

    #unrecoverable(cause: Error): Error {
        const error = new this.options.packages.bullmq.UnrecoverableError(`${cause.name}: ${cause.message}`);
        if (cause.stack !== undefined) error.stack = cause.stack;
        return error;
    }

    // Of the connection the link tells; a lock that was lost while Redis was away is the affair of whoever has the run now.
    #tell(error: Error): void {
        const { link, settings, host } = this.options;
        const isOfConnection = 'code' in error || 'syscall' in error || error instanceof RedisAwayError;
        if (link.isAway || isOfConnection || /connection|lock|socket|active state/i.test(error.message))
            return;
        host.emit({ type: 'engine-failed', error: new Error(settings.withoutSecrets(error.message)) });
    }
}

function runOf({ id }: Job, payload: Partial<Payload> & Pick<Payload, 'job' | 'args'>, file?: string): Run {
    const { job, schedule, args, tenant, scheduledAt } = payload;
    return createRun({ id, job, file, schedule, args, tenant, scheduledAt });
}
