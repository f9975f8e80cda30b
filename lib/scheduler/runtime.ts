import { channel } from 'node:diagnostics_channel';
import type { BotConfig } from '../../types/bot_config.js';
import { Alerts } from '../alerts/alerts.js';
import { type Fetch, Heartbeats } from '../alerts/heartbeats.js';
import type { AlertSettings } from '../config/alert_settings.js';
import { type Config, DEFAULT_CONFIG, type LogFormat, loadConfig, parseConfig } from '../config/config.js';
import { EmbeddedEngine } from '../engines/embedded/engine.js';
import { importAll } from '../framework.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import type { ActiveRun } from '../runs/active_run.js';
import { captureConsole } from '../runs/captured_console.js';
import type { Engine, EngineHost, LockTimeout, Result, TakenRun } from '../runs/engine.js';
import type { Emit } from '../runs/events.js';
import { createLog } from '../runs/log.js';
import { Worker } from '../runs/worker.js';
import { readError } from '../text/errors.js';
import { type Clock, systemClock } from '../time/clock.js';
import { Catalog } from './catalog.js';

/** How long a command waits for a lock that another process holds, in milliseconds. */
export const LOCK_TIMEOUT = 12_000;

/** What a bot is made of; each part has a default. */
export interface BotParts {
    readonly clock?: Clock;
    readonly engine?: Engine;
    /** Gets all events, besides the log. What it throws is logged, and harms nothing. */
    readonly listen?: Emit;
    /** What pings monitors. Default: the global `fetch`. */
    readonly fetch?: Fetch;
    /** A number from 0 up to 1, for the jitter of retries. */
    readonly random?: () => number;
    /** Reads the `bot` section. Default: from the app's `pinstripe.config.js`. */
    readonly config?: () => Promise<BotConfig | false>;
    /** Default: `NODE_ENV`, else `development`, as the framework has it. */
    readonly environment?: string;
}

/** The bot between a start and a stop. */
export interface Living {
    /** Resolves when the bot has started. */
    readonly begun: Promise<void>;
    /** Resolves when it has stopped; rejects when it could not start. */
    readonly ended: Promise<void>;
    /** Whether no stop has begun. */
    readonly isOpen: boolean;
    /** Whether it has stopped, or could not start. */
    readonly isOver: boolean;
    readonly isIdle: boolean;
    /** The last second that it, or one before, has reached; undefined: none yet. */
    readonly reached: number | undefined;
    recover(): void;
    stop(caller: ActiveRun | undefined): Promise<void>;
}

/** What a bot works with: its config, its engine, the catalog of its jobs, and its runs. */
export class Runtime implements EngineHost {
    readonly clock: Clock;
    readonly environment: string;
    readonly worker = new Worker(this);
    readonly random: () => number;
    config: Config = DEFAULT_CONFIG;
    engine: Engine;
    /** Overrides the config's, while somebody watches who has asked for runs. */
    logFormat: LogFormat | undefined;
    lockTimeout: LockTimeout | undefined;
    /** Whether what is recorded here is for other processes: then the journal must not be in memory. */
    leavesToOthers = false;
    life: Living | undefined;
    /** Why the bot could not start; undefined: it could, or was never started. */
    failure: string | undefined;
    /** Why an app with job files has no jobs; undefined: it has no such files. */
    explainNoJobs: () => Promise<string | undefined> = async () => undefined;
    #catalog: Catalog | undefined;
    readonly #alerts = new Alerts(this);
    readonly #heartbeats: Heartbeats;
    readonly #log = createLog(() => this.logFormat ?? this.config.log);

    constructor(private readonly parts: BotParts) {
        this.clock = parts.clock ?? systemClock;
        this.random = parts.random ?? Math.random;
        this.environment = parts.environment || process.env['NODE_ENV'] || 'development';
        this.engine = parts.engine ?? new EmbeddedEngine();
        this.#heartbeats = new Heartbeats(this, parts.fetch ?? ((...request) => fetch(...request)));
    }

    get outputKept(): number {
        return this.config.output ? this.config.outputKept : 0;
    }

    get journal(): Config['journal'] {
        const { journal } = this.config;
        return this.leavesToOthers ? { ...journal, required: true } : journal;
    }

    readonly emit: Emit = (event) => {
        this.#log(event);
        try {
            this.parts.listen?.(event);
        } catch (error) {
            this.#log({ type: 'listener-failed', to: event.type, error: readError(error) });
        }
        // Where tracing tools listen.
        channel(`pinstripe-bot:${event.type}`).publish(event);
        this.#heartbeats.hear(event);
        this.#alerts.hear(event);
    };

    /** Reads the config, and changes the engine if it names another. @throws ConfigError */
    async readConfig(): Promise<void> {
        await importAll();
        const { config: given } = this.parts;
        const config = given ? parseConfig(await given()) : await loadConfig();
        if (config.engine !== this.config.engine && !this.parts.engine)
            this.engine = await createEngine(config);
        this.config = config;
        if (this.outputKept > 0) captureConsole();
    }

    /** Makes a new catalog; slots after the unix second are still to come. */
    renewCatalog(after: number): Catalog {
        // Only a started bot reports what is wrong with a job.
        const tell = (problem: Problem) => this.life?.isOpen && this.emit({ type: 'job-invalid', problem });
        this.#catalog = new Catalog(this.config.timezone, after, tell);
        return this.#catalog;
    }

    /** The catalog, started or not. @throws ConfigError */
    async catalog(): Promise<Catalog> {
        if (this.#catalog) return this.#catalog;
        await this.readConfig();
        return this.#catalog ?? this.renewCatalog(Math.floor(this.clock.now() / 1000));
    }

    /** Opens the engine; resolves with the catalog. @throws ConfigError; an Error if the engine needs its store and has none */
    async ready(): Promise<Catalog> {
        const catalog = await this.catalog();
        await this.engine.open(this);
        return catalog;
    }

    /** Whether nothing is going on. */
    get isIdle(): boolean {
        return this.worker.runs.size === 0 && this.engine.isIdle && this.life?.isIdle !== false;
    }

    planOf(job: string): JobPlan | undefined {
        return this.#catalog?.plan(job);
    }

    alertsOf(job: string): AlertSettings {
        return { ...this.config.alerts, ...this.planOf(job)?.settings.alerts };
    }

    failingAfter(job: string): number {
        return this.alertsOf(job).failing || Infinity;
    }

    perform(taken: TakenRun): Promise<Result> {
        return this.worker.perform(taken);
    }

    recovered(): void {
        this.life?.recover();
    }
}

// Most apps do not use the other engine, and start faster without it.
async function createEngine(config: Config): Promise<Engine> {
    if (config.engine !== 'bullmq') return new EmbeddedEngine();
    const { BullmqEngine } = await import('../engines/bullmq/engine.js');
    return new BullmqEngine(config);
}
