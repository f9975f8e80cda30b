import { Workspace } from '../framework.js';
import { BackgroundJob } from '../jobs/background_job.js';
import type { Clock } from '../time/clock.js';
import { type ActiveRun, runStorage } from './active_run.js';
import { readError, toError } from './errors.js';
import type { Emit } from './events.js';
import { type HookFailure, runHooks } from './hooks.js';
import { type CurrentRun, latenessOf, type Outcome, type Run } from './run.js';
import { watchStrayErrors } from './stray_errors.js';
import { destroyContext } from './workspace_end.js';

/** How long a job may go on after its signal was aborted before it is named, in milliseconds. */
const PATIENCE_WITH_ABORTED = 5_000;

/** How much a retry's wait may exceed its delay, so that jobs that failed together do not come back together. */
const JITTER = 0.25;

interface JobInstance {
    run(...args: unknown[]): unknown;
}

interface Ending {
    outcome: Outcome;
    error?: Error;
    reason?: string;
}

/** Executes runs: each attempt in a workspace of its own, with its args, its signal, its timeout and its retries. */
export class Runner {
    /**
     * @param clock the time for timeouts and retries
     * @param emit hears what happens
     * @param random a number from 0 up to 1, for the jitter of retries
     * @param retriesElsewhere told of a run that waits for its next attempt, and for how many milliseconds; answers
     * whether somebody else sees to that attempt
     */
    constructor(
        private readonly clock: Clock,
        private readonly emit: Emit,
        private readonly random: () => number,
        private readonly retriesElsewhere: (run: Run, delay: number) => boolean,
    ) {}

    /**
     * Executes a run with all its attempts, and notes its outcome on it; it has none where its next attempt is made
     * elsewhere.
     *
     * @param active the run
     * @returns a promise that resolves when it is over here; it never rejects
     */
    async execute(active: ActiveRun): Promise<void> {
        const { run } = active;
        watchStrayErrors();
        run.startedAt ??= this.clock.now();
        let ending = await this.#attempt(active);
        while (this.#mayRetry(active, ending)) {
            const error = readError(ending.error ?? new Error(ending.outcome));
            const delay = this.#retryDelay(active);
            this.emit({ type: 'run-retrying', run, error, delay });
            if (this.retriesElsewhere(run, delay)) return;
            if (!(await this.#waitForRetry(active, delay))) {
                ending = {
                    outcome: 'aborted',
                    reason: active.abortReason ?? 'stopping',
                    ...pickError(ending),
                };
                break;
            }
            ending = await this.#attempt(active);
        }
        run.endedAt = this.clock.now();
        run.outcome = ending.outcome;
        run.error = ending.error && readError(ending.error);
        active.thrown = ending.error;
        run.reason = ending.reason;
    }

    #mayRetry({ run, plan, abortReason }: ActiveRun, { outcome }: Ending): boolean {
        if (abortReason || (outcome !== 'failed' && outcome !== 'timed_out')) return false;
        return run.attempt <= plan.settings.retries;
    }

    #retryDelay({ run, plan }: ActiveRun): number {
        const doubled = plan.settings.retryDelay * 2 ** (run.attempt - 1);
        return Math.round(doubled * (1 + JITTER * this.random()));
    }

    async #waitForRetry(active: ActiveRun, delay: number): Promise<boolean> {
        active.retryingSince = this.clock.now();
        await new Promise<void>((resolve) => {
            const end = () => {
                cancel();
                unsubscribe();
                resolve();
            };
            const cancel = this.clock.after(delay, end);
            const unsubscribe = active.onAbort(end);
        });
        active.retryingSince = undefined;
        return active.abortReason === undefined;
    }

    async #attempt(active: ActiveRun): Promise<Ending> {
        active.beginAttempt();
        this.emit({ type: 'run-started', run: active.run });
        const { timeout } = active.plan.settings;
        const cancelTimeout =
            timeout === undefined ? undefined : this.clock.after(timeout, () => active.timeOut());
        const stopNaming = this.#nameIfItIgnoresItsSignal(active);
        let error: Error | undefined;
        try {
            await runStorage.run(active, () => this.#inWorkspace(active));
        } catch (cause) {
            error = toError(cause);
        } finally {
            cancelTimeout?.();
            stopNaming();
        }
        return endingOf(active, error);
    }

    #inWorkspace(active: ActiveRun): Promise<void> {
        const { run, signal } = active;
        const runner = this;
        return Workspace.run(async function () {
            const { context } = this;
            active.workspace = context.root;
            try {
                if (run.tenant !== undefined) this.initialParams._headers['x-tenant-id'] = run.tenant;
                const job: JobInstance = BackgroundJob.create(run.job, context, {
                    signal,
                    currentRun: currentRunOf(active),
                });
                await runner.#withHooks(active, job);
            } finally {
                await destroyContext(context, (error) => runner.emit({ type: 'cleanup-failed', run, error }));
            }
        });
    }

    async #withHooks(active: ActiveRun, job: JobInstance): Promise<void> {
        const { run } = active;
        const failed: HookFailure = (hook, error) => this.emit({ type: 'hook-failed', run, hook, error });
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

function pickError({ error }: Ending): { error?: Error } {
    return error ? { error } : {};
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
