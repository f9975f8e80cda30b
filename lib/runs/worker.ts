import type { Result, TakenRun } from './engine.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { Clock } from '../time/clock.js';
import { type AbortReason, ActiveRun, runStorage } from './active_run.js';
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

/** Executes what an engine has taken, and decides what becomes of it then. It knows the runs of this process. */
export class Worker {
    readonly #runs = new Set<ActiveRun>();
    readonly #parents = new Map<string, ActiveRun>();
    readonly #failures = new Map<string, unknown>();
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
                if (this.#failures.has(run.id)) return this.#decide(active, await this.#failed(active));
                if (kind === 'slot') return await this.#list(active);
                return this.#decide(active, await this.#runner.attempt(active, dueAt));
            });
        } finally {
            signal.removeEventListener('abort', abort);
            this.#runs.delete(active);
            for (const listener of this.#endListeners) listener();
        }
    }

    /** The next attempt of a run with this id is the doing of the run that asks. */
    ask(id: string): void {
        const parent = runStorage.getStore();
        if (parent) this.#parents.set(id, parent);
    }

    /** A run with this id has failed before it could start: its tenants could not be listed. */
    failBeforeStart(id: string, cause: unknown): void {
        this.#failures.set(id, cause);
    }

    /** The run asked for is over. */
    forget(id: string): void {
        this.#parents.delete(id);
        this.#failures.delete(id);
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
        const onStrayError = (of: Run, error: Error) =>
            this.parts.emit({ type: 'stray-error', run: of, error });
        const active = new ActiveRun(run, plan, this.#parents.get(run.id), onStrayError);
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

    #failed(active: ActiveRun): Promise<Ending> {
        return this.#runner.failListing(active, this.#failures.get(active.run.id));
    }

    #decide({ run, plan, abortReason }: ActiveRun, ending: Ending): Result {
        const { retries, retryDelay } = plan.settings;
        const mayRetry = ending.outcome === 'failed' || ending.outcome === 'timed_out';
        if (abortReason || !mayRetry || run.attempt > retries) return { kind: 'ended', ...ending };
        const doubled = retryDelay * 2 ** (run.attempt - 1);
        const delay = Math.round(doubled * (1 + JITTER * this.parts.random()));
        const error = ending.error ?? new Error(ending.outcome);
        return { kind: 'retries', at: this.parts.clock.now() + delay, error };
    }
}

function byId(a: string | number, b: string | number): number {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return String(a) < String(b) ? -1 : 1;
}
