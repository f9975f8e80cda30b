import { type BotConfig, type LogFormat, loadConfig } from '../config/config.js';
import { EmbeddedEngine } from '../engines/embedded/engine.js';
import { brokenFileProblems, type JobPlan } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import { runStorage } from '../runs/active_run.js';
import type { Engine } from '../runs/engine.js';
import { type BotEvent, type Emit, type GiveUpReason, publish } from '../runs/events.js';
import type { History } from '../runs/history.js';
import { createLog } from '../runs/log.js';
import { pauseJob, resumeJob } from '../runs/pauses.js';
import type { Run, TenantId } from '../runs/run.js';
import { RunsInFlight } from '../runs/runs_in_flight.js';
import { toError } from '../runs/stray_errors.js';
import { type Clock, systemClock } from '../time/clock.js';
import type { Patience } from '../time/patience.js';
import { checkUnixTime } from '../time/unix_time.js';
import { Dispatcher } from './dispatcher.js';
import { Equipment } from './equipment.js';
import { runJobNow, throwFailures } from './manual_run.js';
import type { ManualRun, RunRequest } from './run_request.js';
import { Session } from './session.js';
import { Shift } from './shift.js';
import { Shutdown } from './shutdown.js';

/** What a bot is made of; each part has the one of a real server as its default. */
export interface BotParts {
    readonly clock?: Clock;
    readonly engine?: Engine;
    /** Hears of everything that happens, besides the log. What it throws is logged, and harms nothing. */
    readonly listen?: Emit;
    /** A number from 0 up to 1, for the jitter of retries. */
    readonly random?: () => number;
    /** Where the config comes from. Default: the `bot` section of the app's `pinstripe.config.js`. */
    readonly config?: () => Promise<BotConfig>;
    /** Default: `NODE_ENV`, else `development`, as the framework has it. */
    readonly environment?: string;
}

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

/** The scheduler: looks at each second, and has what is due run. The service `this.bot` is one of these. */
export class Bot {
    readonly #clock: Clock;
    readonly #emit: Emit;
    readonly #environment: string;
    readonly #equipment: Equipment;
    readonly #inFlight: RunsInFlight;
    readonly #dispatcher: Dispatcher;
    #logFormat: LogFormat | undefined;
    #session: Session | undefined;
    #shift: Shift | undefined;

    constructor(parts: BotParts = {}) {
        const clock = parts.clock ?? systemClock;
        const environment = parts.environment ?? process.env['NODE_ENV'] ?? 'development';
        const emit = this.#createEmit(parts.listen);
        const equipment = new Equipment({
            clock,
            emit,
            environment,
            engine: parts.engine ?? new EmbeddedEngine(),
            loadConfig: parts.config ?? loadConfig,
            createEngine: async (config) => parts.engine ?? createEngine(config),
            isStarted: () => this.#session?.isOpen === true,
            takeOver: (run, plan) => this.#takeOver(run, plan),
            recovered: () => this.#shift?.recover(),
        });
        const work = {
            clock,
            emit,
            environment,
            random: parts.random ?? Math.random,
            // The config, which names the engine, is read later than a bot is made.
            get engine() {
                return equipment.engine;
            },
            get inFlight() {
                return inFlight;
            },
        };
        const inFlight: RunsInFlight = new RunsInFlight(work);
        this.#clock = clock;
        this.#emit = emit;
        this.#environment = environment;
        this.#equipment = equipment;
        this.#inFlight = inFlight;
        this.#dispatcher = new Dispatcher(work);
    }

    /**
     * Starts the scheduler.
     *
     * @returns the promise of its loop, which resolves when the scheduler has stopped; the same one while it runs
     * @throws ConfigError, by that promise, when the `bot` section of the config is wrong
     */
    start(): Promise<void> {
        if (!this.#session?.isOpen) {
            // A job may start the bot: what the bot does from then on is not that job's doing.
            this.#session = runStorage.exit(
                () => new Session(this.#session, (session) => this.#live(session)),
            );
        }
        return this.#session.ended;
    }

    /**
     * Stops the scheduler: no new runs, waiting retries end as aborted, runs in flight are waited for. After
     * `bot.stopTimeout` their signals are aborted; what still runs some seconds later is named and abandoned. A bot
     * that never started has nothing to stop.
     *
     * @returns a promise that resolves when the scheduler has stopped; called by a job it does not wait for that job
     */
    stop(): Promise<void> {
        const begin = () => {
            const { engine, config } = this.#equipment;
            this.#shift?.end();
            engine.rest();
            this.#emit({ type: 'bot-stopping', runs: this.#inFlight.all.size });
            return new Shutdown(this.#inFlight, this.#clock, this.#emit, config.stopTimeout);
        };
        return this.#session?.stop(begin, runStorage.getStore()) ?? Promise.resolve();
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
        const catalog = await this.#equipment.ready();
        const rules = { manual: true, config: this.#equipment.config, interrupt: signal };
        return this.#dispatcher.dispatch(catalog.peek(unixTime), rules);
    }

    /**
     * Runs one job now, for one tenant, or for each of its tenants one after another, whatever its `environments`.
     *
     * @param name the job's name, in any spelling
     * @param args what its `run()` is called with; JSON values
     * @param tenant the tenant whose workspace asks; undefined: none
     * @returns a promise of the runs
     * @throws Error for an unknown name, a job that cannot run, and a busy lane; what the job failed with; an
     * AggregateError where it failed for several tenants
     */
    async runBackgroundJob(name: string, args: readonly unknown[] = [], tenant?: TenantId): Promise<Run[]> {
        const over = await this.runOnRequest({ name, args, tenant });
        throwFailures(over);
        return over.map(({ run }) => run);
    }

    /**
     * Runs one job now, as `runBackgroundJob` does, with all that a request may ask for.
     *
     * @param request what to run, for whom, at which slot, and until when
     * @returns a promise of the runs, when all are over; it does not reject because a job failed
     * @throws Error for an unknown name, a job that cannot run or is not due at the slot, and an unknown tenant
     */
    async runOnRequest(request: RunRequest): Promise<ManualRun[]> {
        const { plans } = await this.#equipment.catalog();
        // Where it is open, nobody waits, not even for a turn of promises.
        const opening = this.#equipment.openEngine();
        if (opening) await opening;
        return runJobNow(request, plans, this.#inFlight, () => this.#clock.now());
    }

    /**
     * Pauses a job, or all: their slots are skipped in every process that shares the journal, across restarts.
     *
     * @param name the job's name, in any spelling; undefined: all jobs
     * @returns a promise of the job's name
     * @throws Error for an unknown name
     */
    async pauseBackgroundJob(name?: string): Promise<string | undefined> {
        const { plans } = await this.#equipment.ready();
        return pauseJob(
            this.#equipment.engine,
            name,
            plans.map((plan) => plan.name),
        );
    }

    /**
     * Ends the pause of a job, or every pause. Slots that came in the meantime do not run.
     *
     * @param name the job's name, in any spelling; undefined: all jobs
     * @returns a promise of the job's name
     * @throws Error for an unknown name, and for one job where all are paused at once
     */
    async resumeBackgroundJob(name?: string): Promise<string | undefined> {
        const { plans } = await this.#equipment.ready();
        return resumeJob(
            this.#equipment.engine,
            name,
            plans.map((plan) => plan.name),
        );
    }

    /**
     * Gives up all runs at once, because the process ends here: else others would take them for running.
     *
     * @param reason why it ends
     */
    giveUp(reason: GiveUpReason): void {
        this.#inFlight.giveUp(reason);
    }

    /**
     * Tells that the process exits now, although it would go on by itself.
     *
     * @param resources what keeps it alive
     */
    noteForcedExit(resources: readonly string[]): void {
        this.#emit({ type: 'exit-forced', resources });
    }

    /**
     * From now on logs in this format, whatever the config says: somebody looks on who has asked for runs.
     *
     * @param format the format
     */
    logAs(format: LogFormat): void {
        this.#logFormat = format;
    }

    /**
     * From now on waits no longer than this for a journal that another process has locked: somebody looks on.
     *
     * @param patience how long
     */
    waitNoLonger(patience: Patience): void {
        this.#equipment.waitNoLonger(patience);
    }

    /** Whether no run is being executed, nor waits for anything. */
    get isIdle(): boolean {
        return this.#dispatcher.isIdle;
    }

    /** How much it is doing: runs being executed, and jobs whose tenants are being listed. Waiting does not count. */
    get busy(): number {
        return this.#dispatcher.busy;
    }

    /**
     * What the bot knows of the jobs.
     *
     * @returns the survey
     * @throws ConfigError
     */
    async survey(): Promise<Survey> {
        const { plans, timezone } = await this.#equipment.catalog();
        const problems = [...brokenFileProblems(), ...plans.flatMap((plan) => plan.problems)];
        return { plans, problems, timezone, environment: this.#environment };
    }

    /**
     * Opens what is remembered of the jobs for reading: of those that this process ran, and others.
     *
     * @returns the history, to be closed by whoever asked for it
     * @throws ConfigError; Error where it cannot be read
     */
    async history(): Promise<History> {
        await this.#equipment.catalog();
        const { engine, config } = this.#equipment;
        return engine.history({ environment: this.#environment, journal: config.journal });
    }

    async #live(session: Session): Promise<void> {
        const equipment = this.#equipment;
        await equipment.readConfig();
        if (!session.isOpen) return;
        await equipment.openEngine();
        const { engine } = equipment;
        if (!session.isOpen) return void (await engine.close());
        this.#inFlight.open();
        this.#dispatcher.settlements.clear();
        const parts = {
            clock: this.#clock,
            emit: this.#emit,
            equipment,
            dispatcher: this.#dispatcher,
            inFlight: this.#inFlight,
        };
        this.#shift = new Shift(parts, this.#shift?.reached);
        await this.#shift.begin(() => session.isOpen);
        const shutdown = await session.stopping;
        await shutdown.wait();
        await engine.close();
        this.#emit({ type: 'bot-stopped' });
    }

    // A job's manual run may have set the engine going: this is not that job's doing.
    #takeOver(run: Run, plan: JobPlan): Promise<void> {
        return runStorage.exit(() => {
            const active = this.#inFlight.activate(run, plan, {});
            active.isClaimed = true;
            return this.#inFlight.perform(active);
        });
    }

    #createEmit(listen: Emit | undefined): Emit {
        const log = createLog(() => this.#logFormat ?? this.#equipment.config.log);
        return (event: BotEvent) => {
            log(event);
            try {
                listen?.(event);
            } catch (error) {
                log({ type: 'listener-failed', to: event.type, error: toError(error) });
            }
            publish(event);
        };
    }
}

// Most apps do without the other engine, and their commands start without it.
async function createEngine(config: BotConfig): Promise<Engine> {
    if (config.engine !== 'bullmq') return new EmbeddedEngine();
    const { BullmqEngine } = await import('../engines/bullmq/engine.js');
    return new BullmqEngine(config);
}
