import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '../../types/framework.js';
import type { JobPlan } from '../jobs/job_plan.js';
import { type ErrorRecord, readError, toError } from './errors.js';
import { laneOf, type Run } from './run.js';

/** Why a run's signal was aborted before its job had ended. */
export type AbortReason = 'timeout' | 'replaced' | 'stopping' | 'interrupted';

const SENTENCES: Record<AbortReason, string> = {
    timeout: 'the run reached its timeout',
    replaced: 'a newer run of the same job replaces this one',
    stopping: 'the bot is stopping',
    interrupted: 'the run was interrupted',
};

/** What several runs have in common that go one after another. */
export interface Sequence {
    /** Whether they catch up on missed slots: then they wait for their lane, whatever the job's `overlap`. */
    readonly catchesUp?: boolean;
    /** Once aborted, it aborts the one that goes on, and those to come are skipped. */
    readonly interrupt?: AbortSignal | undefined;
}

/** A run that may still be executed, or is: what its parts have to know of one another. */
export class ActiveRun {
    readonly lane: string;

    /** What the job failed with outside of its own promise, while it ran. */
    strayError: Error | undefined;

    /** What its last attempt failed with, as it was thrown; the run has a record of it. */
    thrown: Error | undefined;

    /** Why the run as a whole was aborted; a timeout ends one attempt only and does not count. */
    abortReason: Exclude<AbortReason, 'timeout'> | undefined;

    /** Whether its claim is made already, because it takes the place of a run that was lost. */
    isClaimed = false;

    /** The root context of the workspace of its current attempt. */
    workspace: Context | undefined;

    /** Since when it waits for its next attempt, in unix milliseconds. */
    retryingSince: number | undefined;

    #attempts = 0;
    #attempt = new AbortController();
    #abortListeners = new Set<(reason: AbortReason) => void>();

    /**
     * @param run its identity and outcome
     * @param plan its job, as it was when the run became due
     * @param sequence equal for runs that catch up one after another
     * @param parent the run whose job asked for this one
     * @param onStrayError hears of errors outside of the job's own promise, during the run and after it
     */
    constructor(
        readonly run: Run,
        readonly plan: JobPlan,
        readonly sequence: Sequence,
        readonly parent: ActiveRun | undefined,
        private readonly onStrayError: (run: Run, error: ErrorRecord) => void,
    ) {
        this.lane = laneOf(run);
    }

    /** The signal of the current attempt. */
    get signal(): AbortSignal {
        return this.#attempt.signal;
    }

    /** Gives the next attempt a fresh signal, already aborted where the whole run is. */
    beginAttempt(): void {
        this.run.attempt += 1;
        this.strayError = undefined;
        if (this.#attempts++ > 0) this.#attempt = new AbortController();
        if (this.abortReason) this.#abortAttempt(this.abortReason);
    }

    /** Aborts the current attempt alone. */
    timeOut(): void {
        this.#abortAttempt('timeout');
    }

    /**
     * Aborts the run: the signal of its attempt, and all further attempts. The first reason stands.
     *
     * @param reason why
     */
    abort(reason: Exclude<AbortReason, 'timeout'>): void {
        if (this.abortReason) return;
        this.abortReason = reason;
        this.#abortAttempt(reason);
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

    #abortAttempt(reason: AbortReason): void {
        if (this.#attempt.signal.aborted) return;
        // The names that the web platform gives these: fetch and timers reject with the signal's reason.
        const name = reason === 'timeout' ? 'TimeoutError' : 'AbortError';
        // What the job's own listeners throw is to be blamed on it.
        runStorage.run(this, () => this.#attempt.abort(new DOMException(SENTENCES[reason], name)));
        for (const listener of [...this.#abortListeners]) listener(reason);
    }
}

/** The run in whose job the current code runs, wherever its promises and timers lead. */
export const runStorage = new AsyncLocalStorage<ActiveRun>();
