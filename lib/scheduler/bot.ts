import { brokenFileProblems, type JobPlan } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import { runStorage } from '../runs/active_run.js';
import type { Lookups } from '../runs/lookups.js';
import { pauseJob, resumeJob } from '../runs/pauses.js';
import type { Run, TenantId } from '../runs/run.js';
import { checkUnixTime } from '../time/unix_time.js';
import { Life } from './life.js';
import { runJobNow, runSecond, throwFailures } from './requests.js';
import { type BotParts, Runtime } from './runtime.js';

/** What a bot knows of the jobs. */
export interface Survey {
    /** Of all jobs, by name. */
    readonly plans: readonly JobPlan[];
    /** All of them, those of files that made no job included. */
    readonly problems: readonly Problem[];
    /** IANA time zone of schedules without one of their own; undefined: the process's. */
    readonly timezone: string | undefined;
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
}

/** What a bot works with, for the commands of this package: an app has no business with it. */
export let runtimeOf: (bot: Bot) => Runtime;

/** Checks every second which jobs are due, and runs them. The service `this.bot` is one of these. */
export class Bot {
    readonly #runtime: Runtime;
    #life: Life | undefined;

    static {
        runtimeOf = (bot) => bot.#runtime;
    }

    constructor(parts: BotParts = {}) {
        this.#runtime = new Runtime(parts);
    }

    /**
     * Starts the scheduler.
     *
     * @returns a promise that resolves when the scheduler has stopped; the same one while it runs
     * @throws ConfigError, by that promise, when the `bot` section of the config is wrong
     */
    start(): Promise<void> {
        if (!this.#life?.isOpen) {
            // A job may start the bot: what the bot does from then on is not that job's doing.
            this.#life = runStorage.exit(() => new Life(this.#runtime, this.#life));
        }
        return this.#life.ended;
    }

    /**
     * Stops the scheduler: no new runs, waiting retries end as aborted, runs in flight are waited for. After
     * `bot.stopTimeout` their signals are aborted; what still runs some seconds later is named and abandoned. A bot
     * that never started has nothing to stop.
     *
     * @returns a promise that resolves when the scheduler has stopped; called by a job it does not wait for that job
     */
    stop(): Promise<void> {
        return this.#life?.stop(runStorage.getStore()) ?? Promise.resolve();
    }

    /** The same as `stop()`. */
    destroy(): Promise<void> {
        return this.stop();
    }

    /**
     * Runs what is due at exactly one second. It needs no started bot and no clock, and its runs are manual: they
     * claim no slot.
     *
     * @param unixTime whole unix seconds
     * @param options a signal that, once aborted, aborts the runs that go on, and lets those to come be skipped
     * @returns a promise of the runs when all are complete; it does not reject because a job failed
     * @throws TypeError for anything but whole unix seconds; ConfigError
     */
    async runBackgroundJobs(unixTime: number, { signal }: { signal?: AbortSignal } = {}): Promise<Run[]> {
        checkUnixTime(unixTime);
        return runSecond(unixTime, this.#runtime, signal);
    }

    /**
     * Runs one job now, for one tenant, or for each of its tenants one after another, whatever its `environments`.
     *
     * @param name the job's name, in any spelling
     * @param args what its `run()` is called with; JSON values
     * @param tenant the tenant whose workspace asks; undefined: none
     * @returns a promise of the runs
     * @throws Error for an unknown name, a job that cannot run, a tenant that the job does not run for, and a busy lane;
     * what the job failed with; an AggregateError where it failed for several tenants
     */
    async runBackgroundJob(
        name: string,
        args: readonly unknown[] = [],
        tenant?: Promise<TenantId | undefined>,
    ): Promise<Run[]> {
        // A job without tenants never asks for it.
        tenant?.catch(() => {});
        const over = await runJobNow({ name, args, tenant }, this.#runtime);
        throwFailures(over);
        return over.map(({ run }) => run);
    }

    /**
     * Pauses a job, or all there are and will be: their slots are skipped in every process that shares the journal,
     * across restarts.
     *
     * @param name the job's name, in any spelling; undefined: all jobs
     * @returns a promise of the job's name
     * @throws Error for an unknown name
     */
    async pauseBackgroundJob(name?: string): Promise<string | undefined> {
        const { plans } = await this.#runtime.ready();
        return pauseJob(this.#runtime.engine, name, plans.map(nameOf));
    }

    /**
     * Ends the pause of a job, or every pause. Slots that came in the meantime do not run.
     *
     * @param name the job's name, in any spelling; undefined: all jobs
     * @returns a promise of the job's name
     * @throws Error for an unknown name, and for one job where all are paused at once
     */
    async resumeBackgroundJob(name?: string): Promise<string | undefined> {
        const { plans } = await this.#runtime.ready();
        return resumeJob(this.#runtime.engine, name, plans.map(nameOf));
    }

    /**
     * What the bot knows of the jobs.
     *
     * @throws ConfigError
     */
    async survey(): Promise<Survey> {
        const { plans, timezone } = await this.#runtime.catalog();
        const problems = [...brokenFileProblems(), ...plans.flatMap((plan) => plan.problems)];
        return { plans, problems, timezone, environment: this.#runtime.environment };
    }

    /**
     * Opens what is remembered of the jobs for reading: of those that this process ran, and others.
     *
     * @returns the history, to be closed by whoever asked for it
     * @throws ConfigError; Error where it cannot be read
     */
    async history(): Promise<Lookups> {
        await this.#runtime.catalog();
        return this.#runtime.engine.history(this.#runtime);
    }
}

function nameOf({ name }: JobPlan): string {
    return name;
}
