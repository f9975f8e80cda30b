import { randomUUID } from 'node:crypto';
import type { Job } from 'bullmq';
import type { JobPlan } from '../../jobs/job_plan.js';
import type { EngineHost } from '../../runs/engine.js';
import { type ErrorRecord, readError, toError } from '../../runs/errors.js';
import type { SkipReason } from '../../runs/events.js';
import type { Run } from '../../runs/run.js';
import { Consumer, type ConsumerParts, pause } from './consumer.js';
import type { Claim, Ledger } from './ledger.js';
import { type Link, RedisAwayError } from './link.js';
import { type Payload, readPayload } from './payload.js';

/** When a run comes again whose lane is taken, or whose process still shows life, in milliseconds. */
const COME_AGAIN = 2_000;

/** When a claim is tried again while Redis is away, in milliseconds. */
const CLAIM_AGAIN = 1_000;

/** When a run comes again that this process does not know the job of, in milliseconds: soon, or newer slots overtake it. */
const UNKNOWN_AGAIN = 500;

/** How long a run goes round that nobody knows the job of: another release, which does, may be about to start. */
const UNKNOWN_PATIENCE = 5 * 60_000;

/** What a worker works with. */
export interface RunWorkerParts extends Omit<ConsumerParts, 'prefix' | 'process' | 'delayAfter' | 'failed'> {
    readonly link: Link;
    readonly ledger: Ledger;
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
        { message, stack }: ErrorRecord,
    ) {
        super(message);
        this.stack = stack;
    }
}

/** Has the runs of the queue executed in this process: claims each, and says what becomes of it. */
export class RunWorker {
    readonly #consumer: Consumer;

    constructor(private readonly parts: RunWorkerParts) {
        this.#consumer = new Consumer({
            ...parts,
            prefix: parts.link.prefix,
            process: (job, token) => this.#process(job, token),
            delayAfter: (error) => (error instanceof NextAttempt ? error.delay : -1),
            failed: (error) => this.#tell(error),
        });
    }

    /** Takes no more runs. */
    rest(): void {
        this.#consumer.rest();
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
            return this.#refuse(job, {}, readError(error));
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
        const { resting } = this.#consumer;
        while (!resting.aborted) {
            try {
                const at = this.parts.host.clock.now();
                return await this.parts.ledger.claim(
                    run,
                    { at, isExclusive: overlap !== 'allow', queued },
                    nonce,
                );
            } catch (error) {
                if (!(error instanceof RedisAwayError)) throw error;
                await pause(CLAIM_AGAIN, resting);
            }
        }
        return undefined;
    }

    async #execute(job: Job, token: string | undefined, run: Run, claim: Claim): Promise<string> {
        if (claim.afterDeath) {
            const error = readError(new Error('its process died'));
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
            throw new NextAttempt(retryIn, error ?? readError(new Error('it is tried again')));
        }
        if (outcome !== 'succeeded')
            throw this.#unrecoverable(error ?? readError(new Error(`${outcome}: ${reason}`)));
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
        throw this.#unrecoverable(readError(new Error('its process died')));
    }

    async #putBack(job: Job, token: string | undefined): Promise<never> {
        await job.moveToWait(token);
        throw new this.parts.packages.bullmq.WaitingError();
    }

    async #comeAgain(job: Job, token: string | undefined, delay: number): Promise<never> {
        await job.moveToDelayed(Date.now() + delay, token);
        throw new this.parts.packages.bullmq.DelayedError();
    }

    #unknown(
        job: Job,
        token: string | undefined,
        payload: Payload,
        plan: JobPlan | undefined,
    ): Promise<never> {
        if (Date.now() < job.timestamp + UNKNOWN_PATIENCE) return this.#comeAgain(job, token, UNKNOWN_AGAIN);
        const why = plan
            ? `The background job "${payload.job}" cannot run: ${plan.problems[0]?.reason}`
            : `There is no background job "${payload.job}" in any process that works: deploy it, or take the run for done.`;
        return this.#refuse(job, payload, readError(new Error(why)));
    }

    // A run that cannot be made of what is in the queue fails, and is recorded, without anything having been run.
    async #refuse(job: Job, payload: Partial<Payload>, error: ErrorRecord): Promise<never> {
        const at = this.parts.host.clock.now();
        const given = typeof payload.job === 'string' ? payload.job : job.name;
        const run = runOf(job, { args: [], ...payload, job: given }, undefined);
        Object.assign(run, { attempt: 1, outcome: 'failed', error, startedAt: at, endedAt: at });
        await this.parts.ledger.finish(run).catch((cause) => this.#tell(toError(cause)));
        this.parts.host.emit({ type: 'run-ended', run });
        throw this.#unrecoverable(error);
    }

    #unrecoverable({ name, message, stack }: ErrorRecord): Error {
        const error = new this.parts.packages.bullmq.UnrecoverableError(`${name}: ${message}`);
        return Object.assign(error, { stack });
    }

    // Of the connection the link tells; a lock that was lost while Redis was away is the affair of whoever has the run now.
    #tell(error: Error): void {
        const { link, settings, host } = this.parts;
        const isOfConnection = 'code' in error || 'syscall' in error || error instanceof RedisAwayError;
        if (link.isAway || isOfConnection || /connection|lock|socket|active state/i.test(error.message))
            return;
        const told = new Error(settings.withoutSecrets(error.message));
        host.emit({ type: 'engine-failed', error: readError(told) });
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
