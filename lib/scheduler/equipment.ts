import { type Config, DEFAULT_CONFIG } from '../config/config.js';
import { retryOf } from '../engines/recovery.js';
import { importAll } from '../framework.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { Engine } from '../runs/engine.js';
import type { Emit } from '../runs/events.js';
import type { Run } from '../runs/run.js';
import type { Clock } from '../time/clock.js';
import type { Patience } from '../time/patience.js';
import { Catalog } from './catalog.js';

/** What the equipment is made of, and whom it serves. */
export interface EquipmentParts {
    readonly clock: Clock;
    readonly emit: Emit;
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
    /** The engine until the config has been read. */
    readonly engine: Engine;
    /** Reads the config; rejects with a ConfigError. */
    loadConfig(): Promise<Config>;
    /** Makes the engine that a config names. */
    createEngine(config: Config): Promise<Engine>;
    /** Whether the bot is started: then what is wrong with a job is told as soon as it is seen. */
    isStarted(): boolean;
    /** Told of a run that the engine has claimed itself, to be executed; see `EngineHost`. */
    takeOver(run: Run, plan: JobPlan): Promise<void>;
    /** Told when the engine's store can be reached again. */
    recovered(): void;
}

/** What a bot works with - its config, its engine, the catalog of its jobs -, each read or made when it is needed. */
export class Equipment {
    #config = DEFAULT_CONFIG;
    #engine: Engine;
    #catalog: Catalog | undefined;
    #patience: Patience | undefined;

    constructor(private readonly parts: EquipmentParts) {
        this.#engine = parts.engine;
    }

    /** The config as it was read last. */
    get config(): Config {
        return this.#config;
    }

    /** The engine in force. */
    get engine(): Engine {
        return this.#engine;
    }

    /**
     * From now on the engine waits no longer than this for a store that another process has locked.
     *
     * @param patience how long
     */
    waitNoLonger(patience: Patience): void {
        this.#patience = patience;
    }

    /**
     * Waits for the app's files, which make the jobs, and reads the config; changes the engine where it names another.
     *
     * @throws ConfigError; what importing the app's files has thrown
     */
    async readConfig(): Promise<void> {
        await importAll();
        const config = await this.parts.loadConfig();
        if (config.engine !== this.#config.engine) this.#engine = await this.parts.createEngine(config);
        this.#config = config;
    }

    /**
     * Makes the engine ready; at once where it is.
     *
     * @throws what the engine throws when it must not work without its store
     */
    openEngine(): void | Promise<void> {
        const { clock, emit, environment, isStarted, takeOver, recovered } = this.parts;
        const planOf = (name: string) => (isStarted() ? this.current() : this.#catalog)?.plan(name);
        return this.#engine.open({
            clock,
            emit,
            environment,
            journal: this.#config.journal,
            patience: this.#patience,
            planOf,
            longestMissedWithin: () => this.#catalog?.longestMissedWithin ?? 0,
            retryOf: (lost) => (isStarted() ? retryOf(lost, planOf(lost.job)) : undefined),
            takeOver: (run) => takeOver(run, planOf(run.job) as JobPlan),
            recovered,
        });
    }

    /**
     * Begins a new catalog.
     *
     * @param after unix second: slots after it are still to come
     * @returns the catalog, with all that is registered
     */
    renewCatalog(after: number): Catalog {
        this.#catalog = new Catalog(this.#config.timezone, after);
        return this.current();
    }

    /** The catalog of a started bot, with what was registered since the last second. */
    current(): Catalog {
        const catalog = this.#catalog as Catalog;
        for (const problem of catalog.refresh()) this.parts.emit({ type: 'job-invalid', problem });
        return catalog;
    }

    /**
     * The catalog, whether the bot is started or not.
     *
     * @throws ConfigError
     */
    async catalog(): Promise<Catalog> {
        if (!this.#catalog) {
            await this.readConfig();
            this.#catalog = new Catalog(this.#config.timezone, Math.floor(this.parts.clock.now() / 1000));
        }
        if (this.parts.isStarted()) return this.current();
        this.#catalog.refresh();
        return this.#catalog;
    }

    /**
     * The catalog, with the engine open: what it takes to run, pause or resume jobs.
     *
     * @throws ConfigError; what `openEngine` throws
     */
    async ready(): Promise<Catalog> {
        const catalog = await this.catalog();
        await this.openEngine();
        return catalog;
    }
}
