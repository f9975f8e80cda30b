import type { CurrentRun, HookName } from '../../types/background_job.js';
import type { Context, Services } from '../../types/framework.js';
import { ContextClass, Workspace } from '../framework.js';
import { BackgroundJob } from '../jobs/background_job.js';
import { type ErrorRecord, readError, toError } from '../text/errors.js';
import { type ActiveRun, runStorage } from './active_run.js';
import type { EngineHost } from './engine.js';
import { latenessOf, type Outcome } from './run.js';
import { attributeStrayErrors } from './stray_errors.js';
import { type Tenancy, tenancyOf, whyNotServed } from './tenants.js';

/** How long a job may go on after its signal was aborted before it is named, in milliseconds. */
const GRACE_AFTER_ABORT = 5_000;

/** A tenant that was there less than this ago, in milliseconds, is not asked for again. */
const TENANT_IS_FRESH = 10_000;

type Hook = (this: object, ...args: unknown[]) => unknown;
type Hookable = Record<'hooks' | 'allHooks', Partial<Record<HookName, Hook[]>>>;

/** How an attempt ended. */
export interface Ending {
    readonly outcome: Exclude<Outcome, 'lost'>;
    readonly error?: Error | undefined;
    readonly reason?: string;
}

/** Executes attempts: each in a workspace of its own, with its args, its signal, its timeout and its hooks. */
export class Runner {
    constructor(private readonly host: Pick<EngineHost, 'clock' | 'emit'>) {}

    /** Executes one attempt of a run, which could start at `dueAt`, in unix milliseconds. The promise never rejects. */
    async attempt(active: ActiveRun, dueAt: number): Promise<Ending> {
        const { clock, emit } = this.host;
        emit({ type: 'run-started', run: active.run });
        const { timeout } = active.plan.settings;
        const cancel = timeout === undefined ? () => {} : clock.after(timeout, () => active.timeOut());
        let reason: string | undefined;
        const thrown = await this.#inWorkspace(active, async (workspace) => {
            reason = await this.#runJob(active, workspace, dueAt);
        });
        cancel();
        return reason === undefined ? endingOf(active, thrown?.error) : { outcome: 'skipped', reason };
    }

    /** Lists for whom a slot runs; else answers how that failed. The promise never rejects. */
    async listTenants(active: ActiveRun): Promise<Tenancy | Ending> {
        let tenancy: Tenancy | undefined;
        const aborted = new Promise<never>((_, reject) => {
            active.signal.addEventListener('abort', () => reject(active.signal.reason));
        });
        const thrown = await this.#inWorkspace(active, async () => {
            tenancy = await Promise.race([tenancyOf(active.plan.settings), aborted]);
        });
        return tenancy ?? this.failListing(active, thrown?.error);
    }

    /** Lets the job's hooks hear that its tenants could not be listed. */
    async failListing(active: ActiveRun, thrown: unknown): Promise<Ending> {
        const cause = toError(thrown);
        const failure = new Error(`its tenants could not be listed: ${cause.message}`, { cause });
        await this.#inWorkspace(active, (workspace) =>
            this.#runHooks(active, createJob(active, workspace), 'runFailed', failure),
        );
        return endingOf(active, failure);
    }

    /** Works in a workspace of its own; answers what the work threw: in an object, for an Error may pass for a promise. */
    async #inWorkspace(
        active: ActiveRun,
        work: (workspace: Services) => Promise<void>,
    ): Promise<{ readonly error: Error } | undefined> {
        const { run, signal } = active;
        const { clock, emit } = this.host;
        attributeStrayErrors();
        let cancel = () => {};
        const onAbort = () => {
            const reason = active.abortReason ?? 'timeout';
            cancel = clock.after(GRACE_AFTER_ABORT, () =>
                emit({ type: 'run-ignores-signal', run, reason, age: active.age(clock.now()) }),
            );
        };
        signal.addEventListener('abort', onAbort);
        const cleanupFailed = (error: ErrorRecord) => emit({ type: 'cleanup-failed', run, error });
        try {
            await runStorage.run(active, () =>
                Workspace.run(async function () {
                    active.workspace = this.context.root;
                    try {
                        await work(this);
                    } finally {
                        await destroyContext(this.context, cleanupFailed);
                    }
                }),
            );
            return undefined;
        } catch (cause) {
            return { error: toError(cause) };
        } finally {
            signal.removeEventListener('abort', onAbort);
            cancel();
        }
    }

    /** Runs the job's code; answers why not, where its tenant is not to be served any more. */
    async #runJob(active: ActiveRun, workspace: Services, dueAt: number): Promise<string | undefined> {
        const { run, plan } = active;
        if (run.tenant !== undefined) {
            workspace.initialParams._headers['x-tenant-id'] = run.tenant;
            const isFresh = this.host.clock.now() - dueAt < TENANT_IS_FRESH;
            const left = isFresh ? undefined : await whyNotServed(workspace, plan.settings, run.tenant);
            if (left) return left;
        }
        const job = createJob(active, workspace);
        await this.#runHooks(active, job, 'beforeRun');
        try {
            // A copy, so that no run sees what another did to its args.
            await job.run(...(run.args.length === 0 ? [] : structuredClone(run.args)));
        } catch (cause) {
            await this.#runHooks(active, job, 'runFailed', toError(cause));
            throw cause;
        } finally {
            await this.#runHooks(active, job, 'afterRun');
        }
        return undefined;
    }

    // A hook that throws keeps neither the job nor other hooks from running; the framework's `runHook` would stop there.
    async #runHooks({ run }: ActiveRun, job: object, hook: HookName, ...args: unknown[]): Promise<void> {
        const Job = BackgroundJob.for(run.job) as unknown as Hookable;
        // allHooks walks all ancestors of the class, which most jobs need not pay for.
        if (!Job.hooks[hook] && !(BackgroundJob as unknown as Hookable).hooks[hook]) return;
        for (const callback of Job.allHooks[hook] ?? []) {
            try {
                await callback.call(job, ...args);
            } catch (cause) {
                this.host.emit({ type: 'hook-failed', run, hook, error: readError(cause) });
            }
        }
    }
}

function endingOf({ signal, abortReason, strayError }: ActiveRun, error = strayError): Ending {
    if (abortReason) return { outcome: 'aborted', reason: abortReason, error };
    if (signal.aborted) return { outcome: 'timed_out', error: toError(signal.reason) };
    return error ? { outcome: 'failed', error } : { outcome: 'succeeded' };
}

function createJob({ run, signal }: ActiveRun, { context }: Services) {
    const { id, job, scheduledAt, attempt, tenant, manual } = run;
    const currentRun: CurrentRun = { id, job, scheduledAt, lateBy: latenessOf(run), attempt, tenant, manual };
    return BackgroundJob.create(job, context, { signal, currentRun: Object.freeze(currentRun) });
}

/**
 * Destroys what a workspace's services left on its context. The framework does so when a workspace ends, but stops at the
 * first `destroy()` that throws; here each gets its turn, and is taken off the context. What is no resource stays: code
 * that a job did not wait for still finds its tenant there.
 */
export async function destroyContext(context: Context, failed: (error: ErrorRecord) => void): Promise<void> {
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
