import { readError } from '../text/errors.js';
import { type AbortReason, ActiveRun, runStorage } from './active_run.js';
import type { EngineHost, Result, TakenRun } from './engine.js';
import { laneOf, type TenantId } from './run.js';
import { type Ending, Runner } from './runner.js';

/** How much a retry's wait may exceed its delay, so that jobs that failed together do not come back together. */
const JITTER = 0.25;

type Host = Pick<EngineHost, 'clock' | 'emit' | 'turn' | 'planOf'> & { random(): number };

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

    constructor(private readonly host: Host) {
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
        const active = new ActiveRun(run, plan, asked?.parent, this.host.emit);
        this.#runs.add(active);
        const abort = () => active.abort(signal.reason as AbortReason);
        signal.addEventListener('abort', abort);
        if (signal.aborted) abort();
        try {
            // A job's request may have set the engine going: what it takes then is not that job's doing.
            return await runStorage.exit(async () => {
                if (kind === 'slot' && !asked?.failure) return await this.#list(active);
                const ending = asked?.failure
                    ? await this.#runner.failListing(active, asked.failure.cause)
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

    /** The code that calls waits for a run with this id; with a failure, its tenants could not be listed: it fails with that. */
    ask(id: string, failure?: { readonly cause: unknown }): void {
        this.#asked.set(id, { parent: runStorage.getStore(), failure, thrown: undefined });
    }

    /** The run asked for is over; answers what it failed with, as it was thrown. */
    answer(id: string): Error | undefined {
        const asked = this.#asked.get(id);
        this.#asked.delete(id);
        return asked?.thrown;
    }

    /** The run of this process that keeps a lane. */
    holderOf(lane: string): ActiveRun | undefined {
        return [...this.#runs].find(({ run }) => laneOf(run) === lane);
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
        const ids = listing.kind === 'tenants' ? [...listing.ids].sort(byId) : [];
        if (ids.length > 0) return { kind: 'fans out', tenants: ids };
        const reason = listing.kind === 'tenants' ? 'no tenants' : listing.kind;
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
