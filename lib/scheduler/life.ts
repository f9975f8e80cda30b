import { BackgroundJob } from '../jobs/background_job.js';
import { brokenFileProblems } from '../jobs/job_plan.js';
import type { ActiveRun } from '../runs/active_run.js';
import { messageOf } from '../text/errors.js';
import { findProcessTimezone, PROCESS_TIMEZONE_CURE } from '../time/process_timezone.js';
import type { Living, Runtime } from './runtime.js';
import { Scheduler } from './scheduler.js';

/** How long aborted runs may still take to end, in milliseconds. */
const GRACE = 3_000;

/** One life of the bot, from a start to the stop that follows. */
export class Life implements Living {
    readonly begun: Promise<void>;
    /** Resolves when the bot has stopped; rejects when it could not start. */
    readonly ended: Promise<void>;
    #scheduler: Scheduler | undefined;
    isOver = false;
    #isStopping = false;
    #gaveUp = false;
    /** The runs whose jobs wait for the stop, and the runs that asked for those: the stop does not wait for them. */
    readonly #stoppers = new Set<ActiveRun>();
    readonly #waiting = new Map<() => void, () => boolean>();
    #cancel: (() => void)[] = [];

    /** @param previous the life before: this one begins when it has ended */
    constructor(
        private readonly runtime: Runtime,
        private readonly previous?: Living,
    ) {
        const isFree = previous?.ended.catch(() => {}) ?? Promise.resolve();
        this.begun = isFree.then(() => this.#begin());
        this.ended = this.begun
            .then(() => this.#end())
            .catch((error) => {
                runtime.failure = messageOf(error);
                throw error;
            })
            .finally(() => {
                this.isOver = true;
                for (const cancel of this.#cancel) cancel();
            });
        runtime.life = this;
        runtime.failure = undefined;
    }

    get isOpen(): boolean {
        return !this.isOver && !this.#isStopping;
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

    /** Begins the stop, if it has not begun, and waits for it. If a job calls, its own run is not waited for. */
    stop(caller: ActiveRun | undefined): Promise<void> {
        if (this.isOpen) this.#beginStop();
        if (!caller || !this.#isStopping) return this.ended.catch(() => {});
        for (let run: ActiveRun | undefined = caller; run; run = run.parent) this.#stoppers.add(run);
        return this.#until(() => [...this.runtime.worker.runs].every((run) => this.#stoppers.has(run)));
    }

    async #begin(): Promise<void> {
        const { runtime } = this;
        await runtime.readConfig();
        const { engine, emit, config } = runtime;
        if (this.isOpen) await engine.open(runtime);
        if (!this.isOpen) return;
        const { fault } = findProcessTimezone();
        if (fault !== undefined)
            emit({ type: 'timezone-unreadable', message: `${fault}: ${PROCESS_TIMEZONE_CURE}` });
        for (const problem of brokenFileProblems()) emit({ type: 'job-invalid', problem });
        const message = BackgroundJob.names.length === 0 ? await runtime.explainNoJobs() : undefined;
        if (message) emit({ type: 'files-not-imported', message });
        const scheduler = new Scheduler(runtime, this.reached);
        const { plans, timetable } = scheduler.catalog;
        const schedules = plans.reduce((sum, plan) => sum + plan.schedules.length, 0);
        const { next } = timetable;
        emit({ type: 'bot-started', jobs: plans.length, schedules, next, engine: engine.description });
        if (!this.isOpen) return;
        engine.work();
        if (config.role === 'worker') return;
        this.#scheduler = scheduler;
        await scheduler.begin();
        if (this.isOpen) scheduler.start();
    }

    async #end(): Promise<void> {
        const { engine, worker, emit } = this.runtime;
        await this.#until(() => this.#isStopping && worker.runs.size === 0);
        await engine.close();
        // Hooks may still be called for the last runs.
        await this.#until(() => worker.runs.size === 0);
        emit({ type: 'bot-stopped' });
    }

    /** Starts no more runs. Aborts those that go on after `bot.stopTimeout`, and gives them up some seconds later. */
    #beginStop(): void {
        const { engine, worker, clock, emit, config } = this.runtime;
        this.#isStopping = true;
        this.#scheduler?.stop();
        engine.rest();
        emit({ type: 'bot-stopping', runs: worker.runs.size });
        const check = () => this.#check();
        worker.endListeners.add(check);
        this.#cancel = [
            () => worker.endListeners.delete(check),
            clock.after(config.stopTimeout, () => {
                for (const active of worker.runs) active.abort('stopping');
            }),
            clock.after(config.stopTimeout + GRACE, () => {
                this.#gaveUp = true;
                for (const active of worker.runs)
                    emit({ type: 'run-abandoned', run: active.run, age: active.age(clock.now()) });
                this.#check();
            }),
        ];
        this.#check();
    }

    /** Resolves when the condition is true, or the runs that go on are given up. */
    #until(isOver: () => boolean): Promise<void> {
        return new Promise((resolve) => {
            this.#waiting.set(resolve, isOver);
            this.#check();
        });
    }

    #check(): void {
        for (const [resolve, isOver] of this.#waiting) {
            if (!this.#gaveUp && !isOver()) continue;
            this.#waiting.delete(resolve);
            resolve();
        }
    }
}
