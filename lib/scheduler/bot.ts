import type { AlertSettings } from '../config/alert_settings.js';
import { findJobName } from '../jobs/job_name.js';
import { brokenFileProblems, type JobPlan } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import { runStorage } from '../runs/active_run.js';
import type { History } from '../runs/history.js';
import { ALL_JOBS, type PauseOptions, pauseOf, readPause } from '../runs/pause.js';
import type { Run, TenantId } from '../runs/run.js';
import { checkUnixTime } from '../time/moment_input.js';
import { type EnqueueOptions, enqueue } from './later.js';
import { Life } from './life.js';
import { runJobNow, runSecond, throwFailures } from './requests.js';
import { type BotParts, Runtime } from './runtime.js';

/** What a bot knows about the jobs. */
export interface Survey {
    readonly plans: readonly JobPlan[];
    /** Of jobs, and of files that made none. */
    readonly problems: readonly Problem[];
    /** Of schedules without one of their own; undefined: the process's. */
    readonly timezone: string | undefined;
    readonly environment: string;
    /** Of jobs that say nothing else. */
    readonly alerts: AlertSettings;
}

/** What a bot works with; not for users. */
export let runtimeOf: (bot: Bot) => Runtime;

/** Checks every second which jobs are due, and runs them. The service `this.bot` is one of these. */
export class Bot {
    readonly #runtime: Runtime;

    static {
        runtimeOf = (bot) => bot.#runtime;
    }

    /** @param tenant of the workspace that asks; default: of the run whose job asks */
    constructor(
        parts: BotParts | Runtime = {},
        private readonly tenant = async () => runStorage.getStore()?.run.tenant,
    ) {
        this.#runtime = parts instanceof Runtime ? parts : new Runtime(parts);
    }

    /** Starts the scheduler; the promise resolves when it has stopped, and rejects with a ConfigError when it cannot start. */
    start(): Promise<void> {
        // A job may start the bot; what the bot does then is not part of that job's run.
        const { life } = this.#runtime;
        if (life?.isOpen) return life.ended;
        return runStorage.exit(() => new Life(this.#runtime, life)).ended;
    }

    /**
     * Stops the scheduler, and waits for runs in flight, but not for the job that calls it. After `bot.stopTimeout` their
     * signals are aborted; what still runs some seconds later is named and abandoned.
     */
    stop(): Promise<void> {
        return this.#runtime.life?.stop(runStorage.getStore()) ?? Promise.resolve();
    }

    /** The same as `stop()`. */
    destroy(): Promise<void> {
        return this.stop();
    }

    /**
     * Runs what is due at exactly one second, by hand. It needs no started bot, uses up no slot, and does not reject because
     * a job failed. When the signal is aborted, the runs that go on are, too, and those to come are skipped.
     *
     * @param unixTime whole unix seconds
     * @param options.by who asks, by default `user@host`
     * @throws TypeError for anything else, and if `by` is not a text; ConfigError
     */
    async runBackgroundJobs(
        unixTime: number,
        options: { signal?: AbortSignal; by?: string } = {},
    ): Promise<Run[]> {
        checkUnixTime(unixTime);
        return runSecond(unixTime, this.#runtime, options);
    }

    /**
     * Runs one job now, for one tenant, or for each of its tenants one after another, whatever its `environments`.
     *
     * @throws Error for an unknown name, a job that cannot run, a tenant that the job does not run for, and a busy lane;
     * what the job failed with; an AggregateError if it failed for several tenants
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
     * Records a run for whichever process works, now or later. It survives restarts, needs no started bot and no schedule,
     * and waits while its job is paused.
     *
     * @returns the run's id; if a run with the same key waits and is kept, that one's
     * @throws TypeError for a bad option; Error for an unknown job, one that cannot run, and an unknown tenant
     */
    async enqueue(name: string, options: EnqueueOptions = {}): Promise<string> {
        const { run } = await enqueue(name, options, this.tenant, this.#runtime);
        return run.id;
    }

    /**
     * Ends a run, wherever it is: if it waits, it is skipped; if it goes on, its signal is aborted.
     *
     * @returns whether there was a run with this id that had not ended
     */
    async cancel(id: string): Promise<boolean> {
        await this.#runtime.ready();
        return this.#runtime.engine.abort(id, 'cancelled');
    }

    /**
     * Pauses a job, or all jobs that there are and will be, in every process that shares the journal. The pause survives
     * restarts, and replaces an earlier one.
     *
     * @returns the job's name
     * @throws Error for an unknown name; TypeError for a bad option, such as an end in the past
     */
    async pauseBackgroundJob(name?: string, options: PauseOptions = {}): Promise<string | undefined> {
        const { plans } = await this.#runtime.ready();
        const job = name === undefined ? undefined : findJobName(name, plans.map(nameOf));
        const { clock, config, engine } = this.#runtime;
        const { timezone } = config;
        await engine.pause(readPause(job ?? ALL_JOBS, options, { now: clock.now() / 1000, timezone }));
        return job;
    }

    /**
     * Ends the pause of a job, or every pause. Slots that came in the meantime do not run.
     *
     * @throws Error for an unknown name, and for a single job while all are paused
     */
    async resumeBackgroundJob(name?: string): Promise<string | undefined> {
        const { plans } = await this.#runtime.ready();
        const { clock, engine } = this.#runtime;
        const pauses = await engine.pauses();
        const paused = pauses.map(({ job }) => job);
        // A paused job may be gone by now.
        const job = name === undefined ? undefined : findJobName(name, [...plans.map(nameOf), ...paused]);
        if (job !== undefined && pauseOf(pauses, ALL_JOBS, clock.now()))
            throw new Error(`All background jobs are paused: "${job}" alone cannot be resumed, use --all.`);
        await engine.resume(job ?? ALL_JOBS);
        return job;
    }

    /** @throws ConfigError */
    async survey(): Promise<Survey> {
        const { plans, timezone } = await this.#runtime.catalog();
        const problems = [...brokenFileProblems(), ...plans.flatMap((plan) => plan.problems)];
        const { environment, config } = this.#runtime;
        return { plans, problems, timezone, environment, alerts: config.alerts };
    }

    /** Opens the history; the caller has to close it. @throws ConfigError; Error if it cannot be read */
    async history(): Promise<History> {
        await this.#runtime.catalog();
        return this.#runtime.engine.history(this.#runtime);
    }
}

function nameOf({ name }: JobPlan): string {
    return name;
}
