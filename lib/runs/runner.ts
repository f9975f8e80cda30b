import type { CurrentRun } from '../../types/background_job.js';
import type { Services } from '../../types/framework.js';
import { Workspace } from '../framework.js';
import { BackgroundJob } from '../jobs/background_job.js';
import { toError } from '../text/errors.js';
import type { Clock } from '../time/clock.js';
import { type ActiveRun, runStorage } from './active_run.js';
import type { Emit } from './events.js';
import { type HookFailure, runHooks } from './hooks.js';
import { latenessOf, type Outcome } from './run.js';
import { watchStrayErrors } from './stray_errors.js';
import { hasTenant, type Tenancy, tenancyOf } from './tenants.js';
import { destroyContext } from './workspace_end.js';

/** How long a job may go on after its signal was aborted before it is named, in milliseconds. */
const PATIENCE_WITH_ABORTED = 5_000;

/** A tenant that was there less than this ago, in milliseconds, is not asked for again. */
const TENANT_IS_FRESH = 10_000;

interface JobInstance {
    run(...args: unknown[]): unknown;
}

/** How an attempt ended. */
export interface Ending {
    readonly outcome: Exclude<Outcome, 'lost'>;
    readonly error?: Error;
    readonly reason?: string;
}

/** Executes attempts: each in a workspace of its own, with its args, its signal, its timeout and its hooks. */
export class Runner {
    constructor(
        private readonly clock: Clock,
        private readonly emit: Emit,
    ) {}

    /**
     * Executes one attempt of a run.
     *
     * @param dueAt when it could start, in unix milliseconds
     * @returns how it ended; the promise never rejects
     */
    async attempt(active: ActiveRun, dueAt: number): Promise<Ending> {
        this.emit({ type: 'run-started', run: active.run });
        const { timeout } = active.plan.settings;
        const cancelTimeout =
            timeout === undefined ? undefined : this.clock.after(timeout, () => active.timeOut());
        let left: string | undefined;
        const thrown = await this.#guarded(active, async (workspace) => {
            left = await this.#runJob(active, workspace, dueAt);
        });
        cancelTimeout?.();
        if (left !== undefined) return { outcome: 'skipped', reason: left };
        return endingOf(active, thrown && toError(thrown.cause));
    }

    /**
     * Lists for whom a slot runs. A listing that fails is told to the job's hooks.
     *
     * @returns for whom, or how it failed; the promise never rejects
     */
    async listTenants(
        active: ActiveRun,
    ): Promise<{ kind: 'listed'; tenancy: Tenancy } | { kind: 'failed'; ending: Ending }> {
        let tenancy: Tenancy | undefined;
        const aborted = new Promise<never>((_, reject) => {
            active.signal.addEventListener('abort', () => reject(active.signal.reason));
        });
        const thrown = await this.#guarded(active, async () => {
            tenancy = await Promise.race([tenancyOf(active.plan.settings), aborted]);
        });
        if (tenancy) return { kind: 'listed', tenancy };
        return { kind: 'failed', ending: await this.failListing(active, thrown?.cause) };
    }

    /** Lets the job's hooks hear that its tenants could not be listed. */
    async failListing(active: ActiveRun, error: unknown): Promise<Ending> {
        const cause = toError(error);
        const failure = new Error(`its tenants could not be listed: ${cause.message}`, { cause });
        await this.#guarded(active, async (context) => {
            const job: JobInstance = this.#create(active, context);
            await runHooks(job, active.run.job, 'runFailed', this.#hookFailure(active), failure);
        });
        return endingOf(active, failure);
    }

    async #guarded(
        active: ActiveRun,
        work: (workspace: Services) => Promise<void>,
    ): Promise<{ cause: unknown } | undefined> {
        const { run } = active;
        watchStrayErrors();
        const stopNaming = this.#nameIfItIgnoresItsSignal(active);
        const { emit } = this;
        try {
            await runStorage.run(active, () =>
                Workspace.run(async function () {
                    active.workspace = this.context.root;
                    try {
                        await work(this);
                    } finally {
                        await destroyContext(this.context, (error) =>
                            emit({ type: 'cleanup-failed', run, error }),
                        );
                    }
                }),
            );
            return undefined;
        } catch (cause) {
            return { cause };
        } finally {
            stopNaming();
        }
    }

    /** Runs the job's code; answers why not, where its tenant is not to be served any more. */
    async #runJob(active: ActiveRun, workspace: Services, dueAt: number): Promise<string | undefined> {
        const { run, plan } = active;
        if (run.tenant !== undefined) {
            workspace.initialParams._headers['x-tenant-id'] = run.tenant;
            const isFresh = this.clock.now() - dueAt < TENANT_IS_FRESH;
            const left = isFresh ? undefined : await hasTenant(workspace, plan.settings, run.tenant);
            if (left) return left;
        }
        const job = this.#create(active, workspace);
        const failed = this.#hookFailure(active);
        await runHooks(job, run.job, 'beforeRun', failed);
        try {
            // A copy, so that no run sees what another did to its args.
            await job.run(...(run.args.length === 0 ? [] : structuredClone(run.args)));
        } catch (cause) {
            await runHooks(job, run.job, 'runFailed', failed, toError(cause));
            throw cause;
        } finally {
            await runHooks(job, run.job, 'afterRun', failed);
        }
        return undefined;
    }

    #create(active: ActiveRun, { context }: Services): JobInstance {
        return BackgroundJob.create(active.run.job, context, {
            signal: active.signal,
            currentRun: currentRunOf(active),
        });
    }

    #hookFailure({ run }: ActiveRun): HookFailure {
        return (hook, error) => this.emit({ type: 'hook-failed', run, hook, error });
    }

    #nameIfItIgnoresItsSignal(active: ActiveRun): () => void {
        let cancel: (() => void) | undefined;
        const unsubscribe = active.onAbort((reason) => {
            cancel ??= this.clock.after(PATIENCE_WITH_ABORTED, () => {
                const age = this.clock.now() - (active.run.startedAt ?? this.clock.now());
                this.emit({ type: 'run-ignores-signal', run: active.run, reason, age });
            });
        });
        return () => {
            unsubscribe();
            cancel?.();
        };
    }
}

function endingOf({ signal, abortReason, strayError }: ActiveRun, error: Error | undefined): Ending {
    if (abortReason) return { outcome: 'aborted', reason: abortReason, ...(error && { error }) };
    if (signal.aborted) return { outcome: 'timed_out', error: toError(signal.reason) };
    const failure = error ?? strayError;
    return failure ? { outcome: 'failed', error: failure } : { outcome: 'succeeded' };
}

function currentRunOf({ run }: ActiveRun): CurrentRun {
    return Object.freeze({
        id: run.id,
        job: run.job,
        scheduledAt: run.scheduledAt,
        lateBy: latenessOf(run),
        attempt: run.attempt,
        tenant: run.tenant,
        manual: run.manual,
    });
}
