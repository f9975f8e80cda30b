import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '../../types/framework.js';
import type { JobPlan } from '../jobs/job_plan.js';
import { readError, toError } from '../text/errors.js';
import type { Emit } from './events.js';
import type { Output } from './output.js';
import type { Run } from './run.js';

/** Why a run was aborted; a timeout only ends an attempt. */
export type AbortReason = 'replaced' | 'stopping' | 'interrupted' | 'cancelled' | 'lost';

const SENTENCES: Record<AbortReason | 'timeout', string> = {
    timeout: 'the run reached its timeout',
    replaced: 'a newer run of the same job replaces this one',
    stopping: 'the bot is stopping',
    interrupted: 'the run was interrupted',
    cancelled: 'the run was cancelled',
    lost: 'other processes have given this run up as lost',
};

/** How an engine asks a run to end. It takes one listener: each run has one, and an AbortSignal takes twenty times as long. */
export class AbortRequest {
    /** Undefined: nobody has asked. */
    reason: string | undefined;
    #listener = () => {};

    get aborted(): boolean {
        return this.reason !== undefined;
    }

    /** The first reason stands. */
    abort(reason: string): void {
        if (this.aborted) return;
        this.reason = reason;
        this.#listener();
    }

    /** Calls back when the run is to end: at once, if somebody has asked already. */
    whenAborted(listener: () => void): void {
        this.#listener = listener;
        if (this.aborted) listener();
    }
}

/** An attempt of a run that is being executed. */
export class ActiveRun {
    /** What the job failed with; what its own promise rejects with wins. */
    error: Error | undefined;
    abortReason: AbortReason | undefined;
    /** The root context of its workspace. */
    workspace: Context | undefined;
    /** Called when its signal has been aborted. */
    onAbort = () => {};
    readonly #controller = new AbortController();

    /**
     * @param plan of its job, when the attempt started
     * @param parent the run whose job asked for this one
     * @param output takes what it prints; undefined: that is not kept
     */
    constructor(
        readonly run: Run,
        readonly plan: JobPlan,
        readonly parent: ActiveRun | undefined,
        /** The bot that executes it, as `Worker` knows it. */
        readonly host: { readonly emit: Emit },
        readonly output: Output | undefined,
    ) {}

    get signal(): AbortSignal {
        return this.#controller.signal;
    }

    /** In milliseconds. */
    age(now: number): number {
        return now - (this.run.startedAt ?? now);
    }

    /** Ends the attempt, but not the run. */
    timeOut(): void {
        this.#abort('timeout', 'TimeoutError');
    }

    /** Ends the run: there is no further attempt. The first reason stands. */
    abort(reason: AbortReason): void {
        this.abortReason ??= reason;
        this.#abort(reason, 'AbortError');
    }

    /** An error outside the job's own promise: it fails the run if that still goes on. */
    blame(thrown: unknown): void {
        if (this.run.outcome === undefined) this.error ??= toError(thrown);
        this.host.emit({ type: 'stray-error', run: this.run, error: readError(thrown) });
    }

    /** Whether this run is the other one, or was asked for by it, or by one that was. */
    descendsFrom(other: ActiveRun): boolean {
        return this === other || (this.parent?.descendsFrom(other) ?? false);
    }

    // The names are those that the web platform has: fetch and timers reject with the signal's reason.
    #abort(reason: AbortReason | 'timeout', name: 'AbortError' | 'TimeoutError'): void {
        if (this.signal.aborted) return;
        // What the job's own listeners throw is the run's error.
        runStorage.run(this, () => this.#controller.abort(new DOMException(SENTENCES[reason], name)));
        this.onAbort();
    }
}

/** An `AsyncLocalStorage` of runs: the types of this package do without those of Node. */
interface RunStorage {
    getStore(): ActiveRun | undefined;
    run<Result>(run: ActiveRun, work: () => Result): Result;
    exit<Result>(work: () => Result): Result;
}

/** The run whose job the current code belongs to, also in its promises and timers. */
export const runStorage: RunStorage = new AsyncLocalStorage<ActiveRun>();

const RAISE_AGAIN: Record<string, (cause: unknown) => void> = {
    unhandledRejection: (cause) => void Promise.reject(cause),
    uncaughtException: (cause) =>
        process.nextTick(() => {
            throw cause;
        }),
};

let isListening = false;

/**
 * From now on, a rejection that nobody handles and an error thrown in a timer fail the run whose job caused them, and the
 * process survives. All others have the effect that they would have without us.
 */
export function attributeStrayErrors(): void {
    if (isListening) return;
    isListening = true;
    for (const [event, raise] of Object.entries(RAISE_AGAIN)) {
        const listener = (cause: unknown) => {
            const active = runStorage.getStore();
            if (active) return active.blame(cause);
            // With a listener in place Node leaves everything to it; raised again without one, Node does what it always
            // does. Other listeners have heard of it already; they are counted without ours, because node:domain (which
            // the framework's REPL loads) keeps a listener of its own for as long as there is another one.
            process.off(event, listener);
            if (process.listenerCount(event) === 0) raise(cause);
            setImmediate(() => process.on(event, listener));
        };
        process.on(event, listener);
    }
}
