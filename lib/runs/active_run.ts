import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '../../types/framework.js';
import type { JobPlan } from '../jobs/job_plan.js';
import { type ErrorRecord, readError, toError } from '../text/errors.js';
import { laneOf, type Run } from './run.js';

/** Why a run's signal was aborted before its job had ended. */
export type AbortReason = 'timeout' | 'replaced' | 'stopping' | 'interrupted' | 'lost';

const SENTENCES: Record<AbortReason, string> = {
    timeout: 'the run reached its timeout',
    replaced: 'a newer run of the same job replaces this one',
    stopping: 'the bot is stopping',
    interrupted: 'the run was interrupted',
    lost: 'other processes have given this run up as lost',
};

/** An attempt of a run that is being executed: what its parts have to know of one another. */
export class ActiveRun {
    readonly lane: string;

    /** What the job failed with outside of its own promise, while it ran. */
    strayError: Error | undefined;

    /** What its last attempt failed with, as it was thrown; the run has a record of it. */
    thrown: Error | undefined;

    /** Why the run as a whole was aborted; a timeout ends one attempt only and does not count. */
    abortReason: Exclude<AbortReason, 'timeout'> | undefined;

    /** The root context of its workspace. */
    workspace: Context | undefined;

    readonly #controller = new AbortController();
    #abortListeners = new Set<(reason: AbortReason) => void>();

    /**
     * @param run its identity and outcome
     * @param plan its job, as it was when the run became due
     * @param parent the run whose job asked for this one
     * @param onStrayError hears of errors outside of the job's own promise, during the run and after it
     */
    constructor(
        readonly run: Run,
        readonly plan: JobPlan,
        readonly parent: ActiveRun | undefined,
        private readonly onStrayError: (run: Run, error: ErrorRecord) => void,
    ) {
        this.lane = laneOf(run);
    }

    /** The signal of the attempt. */
    get signal(): AbortSignal {
        return this.#controller.signal;
    }

    /** Ends the attempt, but not the run. */
    timeOut(): void {
        this.#abort('timeout');
    }

    /**
     * Ends the run: there is no further attempt. The first reason stands.
     *
     * @param reason why
     */
    abort(reason: Exclude<AbortReason, 'timeout'>): void {
        if (this.abortReason) return;
        this.abortReason = reason;
        this.#abort(reason);
    }

    /**
     * Calls back when an attempt, or the run, is aborted.
     *
     * @param listener is given the reason
     * @returns a function that ends this
     */
    onAbort(listener: (reason: AbortReason) => void): () => void {
        this.#abortListeners.add(listener);
        return () => this.#abortListeners.delete(listener);
    }

    /**
     * Takes the blame for an error outside of the job's own promise: while the run goes on, it is its failure.
     *
     * @param thrown what nobody caught
     */
    blame(thrown: unknown): void {
        if (this.run.outcome === undefined) this.strayError ??= toError(thrown);
        this.onStrayError(this.run, readError(thrown));
    }

    /** Whether this run is, or was asked for by, the other one. */
    descendsFrom(other: ActiveRun): boolean {
        return this === other || (this.parent?.descendsFrom(other) ?? false);
    }

    #abort(reason: AbortReason): void {
        if (this.#controller.signal.aborted) return;
        // The names that the web platform gives these: fetch and timers reject with the signal's reason.
        const name = reason === 'timeout' ? 'TimeoutError' : 'AbortError';
        // What the job's own listeners throw is to be blamed on it.
        runStorage.run(this, () => this.#controller.abort(new DOMException(SENTENCES[reason], name)));
        for (const listener of [...this.#abortListeners]) listener(reason);
    }
}

/** An `AsyncLocalStorage` of runs: the types of this package do without those of Node. */
interface RunStorage {
    getStore(): ActiveRun | undefined;
    run<Result>(run: ActiveRun, work: () => Result): Result;
    exit<Result>(work: () => Result): Result;
}

/** The run in whose job the current code runs, wherever its promises and timers lead. */
export const runStorage: RunStorage = new AsyncLocalStorage<ActiveRun>();
