import type { CurrentRun, HookName } from '../../types/background_job.js';
import type { Context, Services } from '../../types/framework.js';
import { ContextClass, Workspace } from '../framework.js';
import { BackgroundJob } from '../jobs/background_job.js';
import { type ErrorRecord, readError, toError } from '../text/errors.js';
import { type AbortReason, ActiveRun, attributeStrayErrors, runStorage } from './active_run.js';
import type { EngineHost, Result, TakenRun } from './engine.js';
import { laneOf, latenessOf, type Run, type TenantId } from './run.js';
import { type Tenancy, tenancyOf, whyNotServed } from './tenants.js';
import { traceAttempt } from './tracing.js';

/** How long a job may ignore its aborted signal before the log names it, in milliseconds. */
const GRACE_AFTER_ABORT = 5_000;

/** A tenant that was listed less than this ago, in milliseconds, is not looked up again. */
const TENANT_IS_FRESH = 10_000;

/** How much longer than its delay a retry may wait, so that jobs that failed together are not retried together. */
const JITTER = 0.25;

type Host = Pick<EngineHost, 'clock' | 'emit' | 'config' | 'outputKept' | 'planOf'> & { random(): number };
type Hook = (this: object, ...args: unknown[]) => unknown;
type Hookable = Record<'hooks' | 'allHooks', Partial<Record<HookName, Hook[]>>>;

/** How somebody in this process, who waits for it, has asked for a run. */
export interface Asked {
    /** The run whose job asks. */
    readonly parent: ActiveRun | undefined;
    /** Why its tenants could not be listed: it fails with that. */
    readonly failure?: Error | undefined;
    /** Whether it runs whatever its job's `skipWhen` answers. */
    readonly isForced?: boolean | undefined;
    /** What it failed with, as it was thrown; undefined until it is over. */
    thrown?: Error | undefined;
}

/**
 * Executes what an engine has taken: each attempt in a workspace of its own, with its args, its signal, its timeout and its
 * hooks. Then it decides what becomes of the run. It knows the runs of this process.
 */
export class Worker {
    /** The runs that somebody here waits for, by id. */
    readonly asked = new Map<string, Asked>();
    /** The runs that are being executed. */
    readonly runs = new Set<ActiveRun>();
    /** Called whenever a run has ended. */
    readonly endListeners = new Set<() => void>();

    constructor(private readonly host: Host) {}

    /** Executes one attempt of a run, or lists the tenants of a slot; resolves with what becomes of it. Never rejects. */
    async perform({ kind, run, signal, dueAt, output }: TakenRun): Promise<Result> {
        const plan = this.host.planOf(run.job);
        if (!plan) return { kind: 'ended', outcome: 'skipped', reason: 'unknown job' };
        const asked = this.asked.get(run.id);
        const kept = this.host.outputKept > 0 ? output : undefined;
        const active = new ActiveRun(run, plan, asked?.parent, this.host, kept);
        this.runs.add(active);
        signal.whenAborted(() => active.abort(signal.reason as AbortReason));
        try {
            // A job's request may have made the engine take others, too: those are not that job's doing.
            return await runStorage.exit(() =>
                traceAttempt(kind, active, () =>
                    kind === 'slot' || asked?.failure
                        ? this.#list(active, asked?.failure)
                        : this.#attempt(active, dueAt, asked?.isForced),
                ),
            );
        } finally {
            signal.whenAborted(() => {});
            if (asked) asked.thrown = active.error;
            this.#end(active);
        }
    }

    /** Calls the hooks for a job in trouble, in a workspace of its run's tenant. */
    async tell(run: Run, hook: HookName, news: object): Promise<void> {
        const plan = this.host.planOf(run.job);
        if (!plan || !hasHooks(run.job, hook)) return;
        const active = new ActiveRun(run, plan, undefined, this.host, undefined);
        this.runs.add(active);
        await runStorage.exit(() =>
            this.#inWorkspace(active, async (workspace) => {
                setTenant(workspace, run);
                await this.#runHooks(active, createJob(active, workspace), hook, news);
            }),
        );
        if (active.error) this.host.emit({ type: 'hook-failed', run, hook, error: readError(active.error) });
        this.#end(active);
    }

    /** The run in this process that keeps a lane. */
    holderOf(lane: string): ActiveRun | undefined {
        // Hooks may still be called for one that has ended.
        return [...this.runs].find(({ run }) => run.outcome === undefined && laneOf(run) === lane);
    }

    #end(active: ActiveRun): void {
        this.runs.delete(active);
        for (const listener of this.endListeners) listener();
    }

    async #attempt(active: ActiveRun, dueAt: number, isForced = false): Promise<Result> {
        const { clock, emit } = this.host;
        emit({ type: 'run-started', run: active.run });
        const { timeout } = active.plan.settings;
        const cancel = timeout === undefined ? () => {} : clock.after(timeout, () => active.timeOut());
        const reason = await this.#inWorkspace(active, (workspace) =>
            this.#runJob(active, workspace, dueAt, isForced),
        );
        cancel();
        return reason === undefined ? this.#decide(active) : { kind: 'ended', outcome: 'skipped', reason };
    }

    /** @param failure why its tenants could not be listed, if that has been tried already */
    async #list(active: ActiveRun, failure: Error | undefined): Promise<Result> {
        const tenancy = await this.#inWorkspace(active, async (workspace) => {
            try {
                if (failure) throw failure;
                return await this.#tenancyOf(active);
            } catch (thrown) {
                const cause = toError(thrown);
                const error = new Error(`its tenants could not be listed: ${cause.message}`, { cause });
                await this.#runHooks(active, createJob(active, workspace), 'runFailed', error);
                throw error;
            }
        });
        if (!tenancy) return this.#decide(active);
        if (tenancy.kind === 'single') return { kind: 'fans out', tenants: undefined };
        const tenants = tenancy.kind === 'tenants' ? [...tenancy.ids].sort(byId) : [];
        if (tenants.length > 0) return { kind: 'fans out', tenants };
        const reason = tenancy.kind === 'tenants' ? 'no tenants' : tenancy.kind;
        return { kind: 'ended', outcome: 'skipped', reason };
    }

    async #tenancyOf(active: ActiveRun): Promise<Tenancy> {
        const { signal, plan } = active;
        const cancel = this.host.clock.after(this.host.config.turn, () => active.timeOut());
        const aborted = new Promise<never>((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
            if (signal.aborted) reject(signal.reason);
        });
        return Promise.race([tenancyOf(plan.settings), aborted]).finally(cancel);
    }

    #decide(active: ActiveRun): Result {
        const { run, plan, signal, abortReason } = active;
        const isTimedOut = signal.aborted && abortReason === undefined;
        if (isTimedOut) active.error = toError(signal.reason);
        const error = active.error && readError(active.error);
        if (abortReason) return { kind: 'ended', outcome: 'aborted', reason: abortReason, error };
        if (!error) return { kind: 'ended', outcome: 'succeeded' };
        const { retries, retryDelay } = plan.settings;
        if (run.attempt > retries)
            return { kind: 'ended', outcome: isTimedOut ? 'timed_out' : 'failed', error };
        const doubled = retryDelay * 2 ** (run.attempt - 1);
        const delay = Math.round(doubled * (1 + JITTER * this.host.random()));
        return { kind: 'retries', at: this.host.clock.now() + delay, error };
    }

    /** Does work in a workspace of its own. If it throws, that is the attempt's error, and the result is undefined. */
    async #inWorkspace<T>(
        active: ActiveRun,
        work: (workspace: Services) => Promise<T>,
    ): Promise<T | undefined> {
        const { run } = active;
        const { clock, emit } = this.host;
        attributeStrayErrors();
        let cancel = () => {};
        active.onAbort = () => {
            const reason = active.abortReason ?? 'timeout';
            cancel = clock.after(GRACE_AFTER_ABORT, () =>
                emit({ type: 'run-ignores-signal', run, reason, age: active.age(clock.now()) }),
            );
        };
        const cleanupFailed = (error: ErrorRecord) => emit({ type: 'cleanup-failed', run, error });
        try {
            return await runStorage.run(active, () =>
                Workspace.run(async function () {
                    active.workspace = this.context.root;
                    try {
                        return await work(this);
                    } finally {
                        await destroyContext(this.context, cleanupFailed);
                    }
                }),
            );
        } catch (cause) {
            active.error = toError(cause);
            return undefined;
        } finally {
            active.onAbort = () => {};
            cancel();
        }
    }

    /** Runs the job's code and its hooks; resolves with the reason if it is skipped. */
    async #runJob(
        active: ActiveRun,
        workspace: Services,
        dueAt: number,
        isForced: boolean,
    ): Promise<string | undefined> {
        const { run, plan } = active;
        if (run.tenant !== undefined) {
            setTenant(workspace, run);
            // It was listed at the slot; since then it has waited for its share of the spread.
            const isFresh = this.host.clock.now() - dueAt + run.spread < TENANT_IS_FRESH;
            const left = isFresh ? undefined : await whyNotServed(workspace, plan.settings, run.tenant);
            if (left) return left;
        }
        const job = createJob(active, workspace);
        // On an instance, the framework would look for a service of that name first.
        if (!isForced && 'skipWhen' in BackgroundJob.for(run.job).prototype) {
            const reason = await this.#whyToSkip(active, job);
            if (reason !== undefined) return reason;
        }
        if (hasHooks(run.job, 'beforeRun')) await this.#runHooks(active, job, 'beforeRun');
        try {
            // A copy, so that no run sees what another has done to its args.
            await job.run(...JSON.parse(JSON.stringify(run.args)));
        } catch (cause) {
            await this.#runHooks(active, job, 'runFailed', toError(cause));
            throw cause;
        } finally {
            if (hasHooks(run.job, 'afterRun')) await this.#runHooks(active, job, 'afterRun');
        }
        return undefined;
    }

    async #whyToSkip(active: ActiveRun, job: { skipWhen?(): unknown }): Promise<string | undefined> {
        try {
            const answer = await job.skipWhen?.();
            if (answer === true) return 'skipWhen';
            return typeof answer === 'string' && answer !== '' ? answer : undefined;
        } catch (cause) {
            await this.#runHooks(active, job, 'runFailed', toError(cause));
            throw cause;
        }
    }

    // If a hook throws, the job and its other hooks run all the same; the framework's `runHook` would stop there.
    async #runHooks({ run }: ActiveRun, job: object, hook: HookName, ...args: unknown[]): Promise<void> {
        const Job = BackgroundJob.for(run.job) as unknown as Hookable;
        for (const callback of Job.allHooks[hook] ?? []) {
            try {
                await callback.call(job, ...args);
            } catch (cause) {
                this.host.emit({ type: 'hook-failed', run, hook, error: readError(cause) });
            }
        }
    }
}

// `allHooks` looks through all ancestors of the class, which most jobs need not pay for.
function hasHooks(job: string, hook: HookName): boolean {
    return [BackgroundJob.for(job), BackgroundJob].some((Job) => (Job as unknown as Hookable).hooks[hook]);
}

function setTenant(workspace: Services, { tenant }: Run): void {
    if (tenant !== undefined) workspace.initialParams._headers['x-tenant-id'] = tenant;
}

function createJob({ run, signal }: ActiveRun, { context }: Services) {
    const { id, job, scheduledAt, attempt, tenant, manual, requestedBy } = run;
    const known = { id, job, scheduledAt, attempt, tenant, manual, requestedBy };
    const currentRun: CurrentRun = { ...known, lateBy: latenessOf(run) };
    return BackgroundJob.create(job, context, { signal, currentRun: Object.freeze(currentRun) });
}

/**
 * Destroys what a workspace's services left on its context. The framework would stop at the first `destroy()` that throws;
 * here all are called, and what is destroyed is taken off the context. Everything else stays there: code that the job did
 * not wait for still finds its tenant.
 */
async function destroyContext(context: Context, failed: (error: ErrorRecord) => void): Promise<void> {
    for (const name of Object.keys(context)) {
        if (name === 'root' || name === 'parent') continue;
        try {
            const resource: unknown = await context[name];
            // The framework stumbles over a null.
            if (resource === null) delete context[name];
            if (!isDestroyable(resource)) continue;
            delete context[name];
            await resource.destroy();
        } catch (error) {
            delete context[name];
            failed(readError(error));
        }
    }
}

function isDestroyable(resource: unknown): resource is { destroy(): unknown } {
    if (typeof resource !== 'object' || resource === null || resource instanceof ContextClass) return false;
    return typeof (resource as { destroy?: unknown }).destroy === 'function';
}

function byId(a: TenantId, b: TenantId): number {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return String(a) < String(b) ? -1 : 1;
}
