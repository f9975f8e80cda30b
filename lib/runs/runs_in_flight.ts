import type { JobPlan } from '../jobs/job_plan.js';
import type { Clock } from '../time/clock.js';
import { ActiveRun, runStorage, type Sequence } from './active_run.js';
import { claimRun } from './claims.js';
import type { Engine } from './engine.js';
import type { ErrorRecord } from './errors.js';
import type { Emit, GiveUpReason, SkipReason } from './events.js';
import { Lanes } from './lanes.js';
import type { Run } from './run.js';
import { Runner } from './runner.js';

/** What runs go by. */
export interface RunParts {
    readonly clock: Clock;
    readonly engine: Engine;
    readonly emit: Emit;
    /** A number from 0 up to 1, for the jitter of retries. */
    readonly random: () => number;
}

/** What hears of a run's way. */
export interface Steps {
    /** It has to wait for its lane, and needs no turn for that. */
    readonly parked?: () => void;
    /** It starts, or was skipped for good. */
    readonly decided?: () => void;
}

const NEVER = new AbortController().signal;

/** The runs that have started and not ended. Each is seen through from its lane and its claim to its outcome. */
export class RunsInFlight {
    readonly lanes: Lanes;
    readonly #runs = new Set<ActiveRun>();
    readonly #runner: Runner;
    readonly #endListeners = new Set<() => void>();
    /** Aborted while no scheduled run may start. */
    #closing = new AbortController();

    constructor(private readonly parts: RunParts) {
        this.lanes = new Lanes(parts.emit, () => parts.clock.now());
        this.#runner = new Runner(parts.clock, parts.emit, parts.random, (run, delay) =>
            parts.engine.retrying(run, delay),
        );
    }

    /** All of them, those that wait for a retry included. */
    get all(): ReadonlySet<ActiveRun> {
        return this.#runs;
    }

    /** How many are being executed; those that wait for a retry are not. */
    get executing(): number {
        let count = 0;
        for (const active of this.#runs) if (active.retryingSince === undefined) count += 1;
        return count;
    }

    /**
     * Tells when nobody is to wait for runs of some kind any more.
     *
     * @param manual which kind: manual runs go on when the bot stops
     * @returns a signal that is aborted from then on
     */
    closing(manual: boolean): AbortSignal {
        return manual ? NEVER : this.#closing.signal;
    }

    /**
     * Makes a run ready to be performed. The run whose job asks for it is its parent.
     *
     * @param run its identity
     * @param plan its job
     * @param sequence equal for runs that catch up one after another
     */
    activate(run: Run, plan: JobPlan, sequence: Sequence): ActiveRun {
        const onStrayError = (of: Run, error: ErrorRecord) =>
            this.parts.emit({ type: 'stray-error', run: of, error });
        return new ActiveRun(run, plan, sequence, runStorage.getStore(), onStrayError);
    }

    /**
     * Sees one run through: lane, claim, execution, outcome.
     *
     * @param active the run
     * @param steps told how it gets on
     * @returns a promise that resolves when it has ended, was skipped, or is tried again elsewhere; it never rejects
     */
    async perform(active: ActiveRun, { parked, decided }: Steps = {}): Promise<void> {
        const skip = (reason: SkipReason) => {
            if (reason !== 'stopping') decided?.();
            this.skip(active.run, reason);
        };
        const admission = this.lanes.enter(active);
        if (typeof admission !== 'string') parked?.();
        const admitted = typeof admission === 'string' ? admission : await admission;
        if (admitted !== 'entered') return skip(admitted);
        this.#runs.add(active);
        const { interrupt } = active.sequence;
        const abort = () => active.abort('interrupted');
        interrupt?.addEventListener('abort', abort);
        try {
            if (interrupt?.aborted) return skip('interrupted');
            if (this.closing(active.run.manual).aborted) return skip('stopping');
            const refusal = active.isClaimed ? undefined : await this.#claim(active);
            if (refusal) return skip(refusal);
            decided?.();
            await this.#runner.execute(active);
            if (active.run.outcome === undefined) return;
            await this.parts.engine.finished(active.run);
            this.parts.emit({ type: 'run-ended', run: active.run });
        } finally {
            interrupt?.removeEventListener('abort', abort);
            this.#runs.delete(active);
            this.lanes.leave(active);
            for (const listener of this.#endListeners) listener();
        }
    }

    /**
     * Calls back whenever a run has ended.
     *
     * @param listener called after the run has left `all`
     * @returns a function that ends this
     */
    onEnd(listener: () => void): () => void {
        this.#endListeners.add(listener);
        return () => this.#endListeners.delete(listener);
    }

    /** From now on no scheduled run starts; runs that wait for a retry end as aborted. */
    close(): void {
        this.#closing.abort();
        this.lanes.dismissWaiting();
        for (const active of this.#runs) {
            if (active.retryingSince !== undefined) active.abort('stopping');
        }
    }

    /** Scheduled runs may start again. */
    open(): void {
        this.#closing = new AbortController();
    }

    /**
     * Notes that a run does not start.
     *
     * @param run the run
     * @param reason why
     */
    skip(run: Run, reason: SkipReason): void {
        run.outcome = 'skipped';
        run.reason = reason;
        this.parts.engine.skipped(run);
        this.parts.emit({ type: 'run-ended', run });
    }

    /**
     * Gives up all of them at once, because the process ends here: what is remembered of them is that they were aborted.
     *
     * @param reason why it ends
     */
    giveUp(reason: GiveUpReason): void {
        for (const { run } of this.#runs) {
            if (run.startedAt === undefined || run.outcome !== undefined) continue;
            Object.assign(run, {
                outcome: 'aborted',
                reason,
                endedAt: this.parts.clock.now(),
            });
            void this.parts.engine.finished(run);
            this.parts.emit({ type: 'run-ended', run });
        }
    }

    #claim(active: ActiveRun): Promise<SkipReason | undefined> {
        const { engine, clock } = this.parts;
        return claimRun(active, engine, clock, this.closing(active.run.manual));
    }
}
