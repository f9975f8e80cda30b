import { BackgroundJob } from '../jobs/background_job.js';
import { brokenFileProblems } from '../jobs/job_plan.js';
import type { ActiveRun } from '../runs/active_run.js';
import type { Gap } from '../schedule/missed.js';
import type { Backlog, Catalog, Occurrence } from './catalog.js';
import type { DispatchRules } from './dispatcher.js';
import type { Runtime } from './runtime.js';
import { Shutdown } from './shutdown.js';
import { type ClockStep, isSetBack, Ticker, type TickListener } from './ticker.js';

/** One life of the bot, from a start to the stop that follows: has what is due run, each second, and what was missed. */
export class Scheduler implements TickListener {
    /** Resolves when the bot has stopped; rejects when it could not start. */
    readonly ended: Promise<void>;
    readonly #stopping: Promise<Shutdown>;
    #announceStop: (shutdown: Shutdown) => void = () => {};
    #shutdown: Shutdown | undefined;
    #ticker: Ticker | undefined;
    #reachedBefore: number | undefined;
    #isTicking = false;
    #isOver = false;
    /** Whether somebody has asked for a recovery that has not begun. */
    #isRecoveryWanted = false;
    #recovery: Promise<void> | undefined;
    /** Up to which second the recovery in progress looks for missed slots. */
    #recoversUntil = -Infinity;
    /** The looks for missed slots that go on. */
    readonly #looks = new Set<Promise<void>>();

    /** @param previous the life before, whose end is waited for */
    constructor(
        private readonly runtime: Runtime,
        previous?: Scheduler,
    ) {
        this.#stopping = new Promise((resolve) => {
            this.#announceStop = resolve;
        });
        this.ended = (previous?.ended.catch(() => {}) ?? Promise.resolve())
            .then(() => this.#live(previous?.reached))
            .finally(() => {
                this.#isOver = true;
            });
        runtime.scheduler = this;
    }

    /** Whether it goes on, and no stop has begun. */
    get isOpen(): boolean {
        return !this.#isOver && this.#shutdown === undefined;
    }

    /** The last second that this life, or one before, has reached; undefined: none yet. */
    get reached(): number | undefined {
        return this.#ticker?.last ?? this.#reachedBefore;
    }

    /**
     * Begins the stop, unless it has begun, and waits for it.
     *
     * @param caller the run whose job waits; it is not waited for
     */
    stop(caller: ActiveRun | undefined): Promise<void> {
        if (this.isOpen) {
            const { engine, inFlight, clock, emit, config } = this.runtime;
            this.#isTicking = false;
            this.#ticker?.stop();
            engine.stop();
            emit({ type: 'bot-stopping', runs: inFlight.all.size });
            this.#shutdown = new Shutdown(inFlight, clock, emit, config.stopTimeout);
            this.#announceStop(this.#shutdown);
        }
        if (caller && this.#shutdown) return this.#shutdown.wait(caller);
        return this.ended.catch(() => {});
    }

    expects(second: number): boolean {
        return (this.#catalog.next ?? Infinity) <= second;
    }

    tick(second: number): void {
        const olderOnes = () => (this.#looks.size > 0 ? Promise.allSettled(this.#looks) : undefined);
        this.#dispatch(this.#catalog.due(second), { olderOnes });
    }

    gap(gap: Gap): void {
        this.runtime.emit({ type: 'clock-gap', ...gap });
        const passed = this.#catalog.passGap(gap);
        void this.#look(async () => {
            // Other processes may have gone on in the meantime.
            const handled = await this.runtime.engine.handledUntil(passed, gap.after);
            // Of what is older, too: alone, its slots would supersede those.
            const isRecovered = this.#recovery && this.#recoversUntil >= gap.now;
            return isRecovered ? { occurrences: [], unrun: [] } : this.#catalog.backlog(passed, handled, gap);
        });
    }

    async setBack(step: ClockStep): Promise<void> {
        const { dispatcher, inFlight, engine, emit } = this.runtime;
        emit({ type: 'clock-set-back', ...step });
        if (!step.adopted) return;
        const before = step.to - 1;
        this.#catalog.seek(before);
        inFlight.lanes.forgetAfter(before);
        dispatcher.handled.clear();
        const due = this.#catalog.due(step.to);
        await engine.voidClaimsAfter(before);
        this.#dispatch(due);
    }

    /**
     * Finds and runs what became due while the engine's store could not be reached; once at a time: who asks meanwhile has
     * it done once more after that.
     */
    recover(): void {
        if (!this.#isTicking) return;
        this.#isRecoveryWanted = true;
        this.#recovery ??= this.#recover().finally(() => {
            this.#recovery = undefined;
        });
    }

    get #catalog(): Catalog {
        return this.runtime.currentCatalog();
    }

    async #live(reached: number | undefined): Promise<void> {
        const { runtime } = this;
        this.#reachedBefore = reached;
        await runtime.readConfig();
        if (!this.isOpen) return;
        const { engine, dispatcher, inFlight, clock, emit } = runtime;
        await engine.open(runtime);
        if (!this.isOpen) return engine.close();
        inFlight.open();
        dispatcher.handled.clear();
        this.#ticker = new Ticker(clock, reached);
        await this.#begin(this.#ticker);
        const shutdown = await this.#stopping;
        await shutdown.wait();
        await engine.close();
        emit({ type: 'bot-stopped' });
    }

    async #begin(ticker: Ticker): Promise<void> {
        const { engine, emit, config, explainNoJobs } = this.runtime;
        for (const problem of brokenFileProblems()) emit({ type: 'job-invalid', problem });
        const message = BackgroundJob.names.length === 0 ? await explainNoJobs() : undefined;
        if (message) emit({ type: 'files-not-imported', message });
        const { plans, next } = this.runtime.renewCatalog(ticker.last);
        const backlog = config.role === 'worker' ? undefined : await this.#backlogAtStart(ticker.last);
        const schedules = plans.reduce((sum, plan) => sum + plan.schedules.length, 0);
        emit({ type: 'bot-started', jobs: plans.length, schedules, next, engine: engine.description });
        if (!this.isOpen) return;
        engine.start();
        if (!backlog) return;
        this.#isTicking = true;
        this.#run(backlog);
        ticker.start(this);
    }

    async #backlogAtStart(now: number): Promise<Backlog> {
        const { engine, emit } = this.runtime;
        const latest = await engine.latestHandled();
        if (latest !== undefined && isSetBack(latest, now)) {
            emit({ type: 'clock-set-back', from: latest, to: now, adopted: true });
            await engine.voidClaimsAfter(now);
        }
        return this.#backlogUntil(now);
    }

    async #backlogUntil(now: number): Promise<Backlog> {
        const { schedules } = this.#catalog;
        const handled = await this.runtime.engine.handledUntil(schedules, now);
        return this.#catalog.backlog(schedules, handled, { after: -Infinity, now });
    }

    async #recover(): Promise<void> {
        while (this.#isRecoveryWanted) {
            this.#isRecoveryWanted = false;
            await this.#look(() => {
                this.#recoversUntil = this.reached ?? -Infinity;
                // What could not be handed over then was missed, like everything since.
                this.runtime.dispatcher.handled.clear();
                return this.#backlogUntil(this.#recoversUntil);
            });
        }
    }

    /** Slots that come due while this looks wait until the missed ones are queued. */
    #look(find: () => Promise<Backlog>): Promise<void> {
        const look = find()
            .then((backlog) => this.#run(backlog))
            .finally(() => this.#looks.delete(look));
        this.#looks.add(look);
        return look;
    }

    #run({ occurrences, unrun }: Backlog): void {
        const { engine, emit } = this.runtime;
        const running = new Set(occurrences.map(({ schedule }) => schedule.key));
        void engine.unrun(unrun);
        for (const { schedule, ...slots } of unrun) {
            emit({ type: 'slots-unrun', job: schedule.job, ...slots });
            if (!running.has(schedule.key)) engine.handled(schedule, slots.last);
        }
        this.#dispatch(occurrences);
    }

    #dispatch(occurrences: readonly Occurrence[], rules: Omit<DispatchRules, 'manual'> = {}): void {
        if (occurrences.length > 0)
            void this.runtime.dispatcher.dispatch(occurrences, { ...rules, manual: false });
    }
}
