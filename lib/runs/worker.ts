import { readError } from '../text/errors.js';
import { type AbortReason, ActiveRun, runStorage } from './active_run.js';
import type { EngineHost, Result, TakenRun } from './engine.js';
import type { TenantId } from './run.js';
import { type Ending, Runner } from './runner.js';

/** How much a retry's wait may exceed its delay, so that jobs that failed together do not come back together. */
const JITTER = 0.25;

/** What a worker is given to work with. */
export interface WorkerHost extends Pick<EngineHost, 'clock' | 'emit' | 'turn' | 'planOf'> {
    /** A number from 0 up to 1, for the jitter of retries. */
    random(): number;
}

/** How a run is asked for. */
export interface Asking {
    /** Why its tenants could not be listed: it fails with that. */
    readonly failure?: { readonly cause: unknown } | undefined;
    /** Whether it runs whatever its job's `skipWhen` answers. */
    readonly isForced?: boolean | undefined;
}

/** A run that somebody in this process waits for. */
interface Asked {
    /** The run whose job asks. */
    readonly parent: ActiveRun | undefined;
    readonly how: Asking;
    thrown: Error | undefined;
}

/** Executes what an engine has taken, and decides what becomes of it then. It knows the runs of this process. */
export class Worker {
    readonly #runs = new Set<ActiveRun>();
    readonly #asked = new Map<string, Asked>();
    readonly #endListeners = new Set<() => void>();
    readonly #runner: Runner;

    constructor(private readonly host: WorkerHost) {
        this.#runner = new Runner(host);
    }

    /** The runs that are being executed. */
    get runs(): ReadonlySet<ActiveRun> {
        return this.#runs;
    }

    /** Executes one attempt of a run, or lists the tenants of a slot; answers what becomes of it, and never rejects. */
    async perform({ kind, run, signal, dueAt }: TakenRun): Promise<Result> {
        const plan = this.host.planOf(run.job);
        if (!plan) return { kind: 'ended', outcome: 'skipped', reason: 'unknown job' };
        const asked = this.#asked.get(run.id);
        const { failure, isForced = false } = asked?.how ?? {};
        const active = new ActiveRun(run, plan, asked?.parent, isForced, this.host.emit);
        this.#runs.add(active);
        const abort = () => active.abort(signal.reason as AbortReason);
        signal.addEventListener('abort', abort);
        if (signal.aborted) abort();
        try {
            // A job's request may have set the engine going: what it takes then is not that job's doing.
            return await runStorage.exit(async () => {
                if (kind === 'slot' && !failure) return await this.#list(active);
                const ending = failure
                    ? await this.#runner.failListing(active, failure.cause)
                    : await this.#runner.attempt(active, dueAt);
                if (asked) asked.thrown = ending.error;
                return this.#decide(active, ending);
            });
        } finally {
            signal.removeEventListener('abort', abort);
            this.#runs.delete(active);
            for (const listener of this.#endListeners) listener();
        }
    }

    /** A run with this id is asked for by the code that calls, which waits for it. */
    ask(id: string, how: Asking): void {
        this.#asked.set(id, { parent: runStorage.getStore(), how, thrown: undefined });
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

    /** Calls back whenever a run has ended; the function returned ends this. */
    onEnd(listener: () => void): () => void {
        this.#endListeners.add(listener);
        return () => this.#endListeners.delete(listener);
    }

    async #list(active: ActiveRun): Promise<Result> {
        const cancel = this.host.clock.after(this.host.turn, () => active.timeOut());
        const listing = await this.#runner.listTenants(active);
        cancel();
        if ('outcome' in listing) return this.#decide(active, listing);
        if (listing.kind === 'single') return { kind: 'fans out', tenants: undefined };
        if (listing.kind === 'tenants' && listing.ids.length > 0)
            return { kind: 'fans out', tenants: [...listing.ids].sort(byId) };
        const reason = listing.kind === 'tenants' ? 'no tenants' : 'no tenants table';
        return { kind: 'ended', outcome: 'skipped', reason };
    }

    #decide({ run, plan, abortReason }: ActiveRun, { outcome, reason, error }: Ending): Result {
        const { retries, retryDelay } = plan.settings;
        const mayRetry = outcome === 'failed' || outcome === 'timed_out';
        if (abortReason || !mayRetry || run.attempt > retries)
            return { kind: 'ended', outcome, reason, error: error && readError(error) };
        const doubled = retryDelay * 2 ** (run.attempt - 1);
        const delay = Math.round(doubled * (1 + JITTER * this.host.random()));
        return { kind: 'retries', at: this.host.clock.now() + delay, error: readError(error) };
    }
}

function byId(a: TenantId, b: TenantId): number {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return String(a) < String(b) ? -1 : 1;
}
