import { BackgroundJob } from '../jobs/background_job.js';
import { brokenFileProblems } from '../jobs/job_plan.js';
import type { ActiveRun } from '../runs/active_run.js';
import { findProcessTimezone, PROCESS_TIMEZONE_CURE } from '../time/process_timezone.js';
import type { Living, Runtime } from './runtime.js';
import { Scheduler } from './scheduler.js';
import { Shutdown } from './shutdown.js';
import { Ticker } from './ticker.js';

/** One life of the bot, from a start to the stop that follows. */
export class Life implements Living {
    readonly begun: Promise<void>;
    /** Resolves when the bot has stopped; rejects when it could not start. */
    readonly ended: Promise<void>;
    readonly #stopping: Promise<Shutdown>;
    #announceBegin: () => void = () => {};
    #announceStop: (shutdown: Shutdown) => void = () => {};
    #shutdown: Shutdown | undefined;
    #scheduler: Scheduler | undefined;
    #ticker: Ticker | undefined;
    #isOver = false;

    /** @param previous the life before, whose end is waited for */
    constructor(
        private readonly runtime: Runtime,
        private readonly previous?: Life,
    ) {
        this.begun = new Promise((resolve) => {
            this.#announceBegin = resolve;
        });
        this.#stopping = new Promise((resolve) => {
            this.#announceStop = resolve;
        });
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

    /** The last second that this life, or one before, has reached; undefined: none yet. */
    get reached(): number | undefined {
        return this.#ticker?.last ?? this.previous?.reached;
    }

    /**
     * Begins the stop, unless it has begun, and waits for it.
     *
     * @param caller the run whose job waits; it is not waited for
     */
    stop(caller: ActiveRun | undefined): Promise<void> {
        if (this.isOpen) {
            const { engine, worker, clock, emit, config } = this.runtime;
            this.#ticker?.stop();
            engine.rest();
            emit({ type: 'bot-stopping', runs: worker.runs.size });
            this.#shutdown = new Shutdown(worker, clock, emit, config.stopTimeout);
            this.#announceStop(this.#shutdown);
        }
        if (caller && this.#shutdown) return this.#shutdown.wait(caller);
        return this.ended.catch(() => {});
    }

    get isIdle(): boolean {
        return this.#scheduler?.isIdle ?? true;
    }

    recover(): void {
        this.#scheduler?.recover();
    }

    async #live(): Promise<void> {
        const { runtime } = this;
        await runtime.readConfig();
        if (!this.isOpen) return;
        const { engine, clock, emit } = runtime;
        await engine.open(runtime);
        if (!this.isOpen) return engine.close();
        this.#ticker = new Ticker(clock, this.reached);
        await this.#begin(this.#ticker);
        this.#announceBegin();
        const shutdown = await this.#stopping;
        await shutdown.wait();
        await engine.close();
        emit({ type: 'bot-stopped' });
    }

    async #begin(ticker: Ticker): Promise<void> {
        const { runtime } = this;
        const { engine, emit, config, environment } = runtime;
        const { fault } = findProcessTimezone();
        if (fault !== undefined)
            emit({ type: 'timezone-unreadable', message: `${fault}: ${PROCESS_TIMEZONE_CURE}` });
        for (const problem of brokenFileProblems()) emit({ type: 'job-invalid', problem });
        const message = BackgroundJob.names.length === 0 ? await runtime.explainNoJobs() : undefined;
        if (message) emit({ type: 'files-not-imported', message });
        const { plans, next } = runtime.renewCatalog(ticker.last);
        const schedules = plans.reduce((sum, plan) => sum + plan.schedules.length, 0);
        emit({ type: 'bot-started', jobs: plans.length, schedules, next, engine: engine.description });
        if (!this.isOpen) return;
        engine.work();
        if (config.role === 'worker') return;
        const catalog = () => runtime.currentCatalog();
        this.#scheduler = new Scheduler({ catalog, engine, emit, environment });
        await this.#scheduler.begin(ticker.last);
        if (this.isOpen) ticker.start(this.#scheduler);
    }
}
