import type { JobPlan } from '../jobs/job_plan.js';
import { type ErrorRecord, readError } from '../text/errors.js';
import type { Clock } from '../time/clock.js';
import { type AbortReason, ActiveRun, runStorage } from './active_run.js';
import type { Result, TakenRun } from './engine.js';
import type { Emit } from './events.js';
import type { Run } from './run.js';
import { type Ending, Runner } from './runner.js';

/** How much a retry's wait may exceed its delay, so that jobs that failed together do not come back together. */
const JITTER = 0.25;

/** What a worker works with. */
export interface WorkerParts {
    readonly clock: Clock;
    readonly emit: Emit;
    /** A number from 0 up to 1, for the jitter of retries. */
    readonly random: () => number;
    planOf(job: string): JobPlan | undefined;
    /** How long a listing of tenants may take, in milliseconds. */
    listingTimeout(): number;
}

/** A run that somebody in this process waits for. */
interface Asked {
    /** The run whose job asks. */
    readonly parent: ActiveRun | undefined;
    readonly failure: { readonly cause: unknown } | undefined;
    thrown: Error | undefined;
}

/** Executes what an engine has taken, and decides what becomes of it then. It knows the runs of this process. */
export class Worker {
    readonly #runs = new Set<ActiveRun>();
    readonly #asked = new Map<string, Asked>();
    readonly #endListeners = new Set<() => void>();
    readonly #runner: Runner;

    constructor(private readonly parts: WorkerParts) {
        this.#runner = new Runner(parts.clock, parts.emit);
    }

    /** The runs that are being executed. */
    get runs(): ReadonlySet<ActiveRun> {
        return this.#runs;
    }

    /**
     * Executes one attempt of a run, or lists the tenants of a slot.
     *
     * @returns what becomes of it; the promise never rejects
     */
    async perform({ kind, run, signal, dueAt }: TakenRun): Promise<Result> {
        const plan = this.parts.planOf(run.job);
        if (!plan) return { kind: 'ended', outcome: 'skipped', reason: 'unknown job' };
        const active = this.#activate(run, plan);
        const abort = () => active.abort(signal.reason as Exclude<AbortReason, 'timeout'>);
        signal.addEventListener('abort', abort);
        if (signal.aborted) abort();
        try {
            // A job's request may have set the engine going: what it takes then is not that job's doing.
            return await runStorage.exit(async () => {
                const failure = this.#asked.get(run.id)?.failure;
                if (failure)
                    return this.#decide(active, await this.#runner.failListing(active, failure.cause));
                if (kind === 'slot') return await this.#list(active);
                return this.#decide(active, await this.#runner.attempt(active, dueAt));
            });
        } finally {
            signal.removeEventListener('abort', abort);
            this.#runs.delete(active);
            for (const listener of this.#endListeners) listener();
        }
    }

    /**
     * A run with this id is asked for by the code that calls, which waits for it.
     *
     * @param failure what has kept it from starting, if anything has: it fails with that
     */
    ask(id: string, failure?: { readonly cause: unknown }): void {
        this.#asked.set(id, { parent: runStorage.getStore(), failure, thrown: undefined });
    }

    /** The run asked for is over; answers what it failed with, as it was thrown. */
    answer(id: string): Error | undefined {
        const asked = this.#asked.get(id);
        this.#asked.delete(id);
        return asked?.thrown;
    }

    /** The run of this process that keeps a lane, and whether the code that asks is its doing. */
    holderOf(lane: string): { active: ActiveRun; isAsking: boolean } | undefined {
        const asking = runStorage.getStore();
        for (const active of this.#runs)
            if (active.lane === lane) return { active, isAsking: asking?.descendsFrom(active) ?? false };
        return undefined;
    }

    /**
     * Calls back whenever a run has ended.
     *
     * @returns a function that ends this
     */
    onEnd(listener: () => void): () => void {
        this.#endListeners.add(listener);
        return () => this.#endListeners.delete(listener);
    }

    #activate(run: Run, plan: JobPlan): ActiveRun {
        const onStrayError = (of: Run, error: ErrorRecord) =>
            this.parts.emit({ type: 'stray-error', run: of, error });
        const active = new ActiveRun(run, plan, this.#asked.get(run.id)?.parent, onStrayError);
        this.#runs.add(active);
        return active;
    }

    async #list(active: ActiveRun): Promise<Result> {
        const cancel = this.parts.clock.after(this.parts.listingTimeout(), () => active.timeOut());
        try {
            const listing = await this.#runner.listTenants(active);
            if (listing.kind === 'failed') return this.#decide(active, listing.ending);
            const { tenancy } = listing;
            if (tenancy.kind === 'single') return { kind: 'fans out', tenants: undefined };
            if (tenancy.kind === 'tenants' && tenancy.ids.length > 0)
                return { kind: 'fans out', tenants: [...tenancy.ids].sort(byId) };
            const reason = tenancy.kind === 'tenants' ? 'no tenants' : 'no tenants table';
            return { kind: 'ended', outcome: 'skipped', reason };
        } finally {
            cancel();
        }
    }

    #decide({ run, plan, abortReason }: ActiveRun, ending: Ending): Result {
        const { retries, retryDelay } = plan.settings;
        const mayRetry = ending.outcome === 'failed' || ending.outcome === 'timed_out';
        const { outcome, reason, error } = ending;
        const asked = this.#asked.get(run.id);
        if (asked) asked.thrown = error;
        if (abortReason || !mayRetry || run.attempt > retries)
            return { kind: 'ended', outcome, reason, error: error && readError(error) };
        const doubled = retryDelay * 2 ** (run.attempt - 1);
        const delay = Math.round(doubled * (1 + JITTER * this.parts.random()));
        return {
            kind: 'retries',
            at: this.parts.clock.now() + delay,
            error: readError(error ?? new Error(outcome)),
        };
    }
}

function byId(a: string | number, b: string | number): number {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return String(a) < String(b) ? -1 : 1;
}
