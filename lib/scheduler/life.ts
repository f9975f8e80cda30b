import { BackgroundJob } from '../jobs/background_job.js';
import { brokenFileProblems } from '../jobs/job_plan.js';
import type { ActiveRun } from '../runs/active_run.js';
import { findProcessTimezone, PROCESS_TIMEZONE_CURE } from '../time/process_timezone.js';
import type { Living, Runtime } from './runtime.js';
import { Scheduler } from './scheduler.js';
import { Shutdown } from './shutdown.js';

/** One life of the bot, from a start to the stop that follows. */
export class Life implements Living {
    #announceBegin = () => {};
    #announceStop = () => {};
    #shutdown: Shutdown | undefined;
    #scheduler: Scheduler | undefined;
    #isOver = false;

    readonly begun = new Promise<void>((resolve) => {
        this.#announceBegin = resolve;
    });
    readonly #stopping = new Promise<void>((resolve) => {
        this.#announceStop = resolve;
    });
    /** Resolves when the bot has stopped; rejects when it could not start. */
    readonly ended: Promise<void>;

    /** @param previous the life before, whose end is waited for */
    constructor(
        private readonly runtime: Runtime,
        private readonly previous?: Life,
    ) {
        this.ended = (previous?.ended.catch(() => {}) ?? Promise.resolve())
            .then(() => this.#live())
            .finally(() => {
                this.#isOver = true;
            });
        runtime.life = this;
    }

    get isOpen(): boolean {
        return !this.#isOver && this.#shutdown === undefined;
    }

    get isIdle(): boolean {
        return this.#scheduler?.isIdle ?? true;
    }

    recover(): void {
        this.#scheduler?.recover();
    }

    /** The last second that this life, or one before, has reached; undefined: none yet. */
    get reached(): number | undefined {
        return this.#scheduler?.reached ?? this.previous?.reached;
    }

    /** Begins the stop, unless it has begun, and waits for it, but not for the run whose job is the caller. */
    stop(caller: ActiveRun | undefined): Promise<void> {
        if (this.isOpen) {
            const { engine, worker, emit } = this.runtime;
            this.#scheduler?.stop();
            engine.rest();
            emit({ type: 'bot-stopping', runs: worker.runs.size });
            this.#shutdown = new Shutdown(this.runtime);
            this.#announceStop();
        }
        if (caller && this.#shutdown) return this.#shutdown.wait(caller);
        return this.ended.catch(() => {});
    }

    async #live(): Promise<void> {
        const { runtime } = this;
        await runtime.readConfig();
        if (!this.isOpen) return;
        const { engine, emit } = runtime;
        await engine.open(runtime);
        if (!this.isOpen) return engine.close();
        await this.#begin();
        this.#announceBegin();
        await this.#stopping;
        await this.#shutdown?.wait();
        await engine.close();
        emit({ type: 'bot-stopped' });
    }

    async #begin(): Promise<void> {
        const { runtime } = this;
        const { engine, emit, config } = runtime;
        const { fault } = findProcessTimezone();
        if (fault !== undefined)
            emit({ type: 'timezone-unreadable', message: `${fault}: ${PROCESS_TIMEZONE_CURE}` });
        for (const problem of brokenFileProblems()) emit({ type: 'job-invalid', problem });
        const message = BackgroundJob.names.length === 0 ? await runtime.explainNoJobs() : undefined;
        if (message) emit({ type: 'files-not-imported', message });
        const scheduler = new Scheduler(runtime, this.reached);
        const { plans, timetable } = runtime.renewCatalog(scheduler.reached);
        const { length: jobs } = plans;
        const schedules = plans.reduce((sum, plan) => sum + plan.schedules.length, 0);
        const { next } = timetable;
        emit({ type: 'bot-started', jobs, schedules, next, engine: engine.description });
        if (!this.isOpen) return;
        engine.work();
        if (config.role === 'worker') return;
        this.#scheduler = scheduler;
        await scheduler.begin();
        if (this.isOpen) scheduler.start();
    }
}
