import type { Json } from '../lib/schedule/args.js';
import type { Context, Mixin, Registry, Services } from './framework.js';

/** A length of time with its unit: `'500ms'`, `'25s'`, `'10m'`, `'1h'`, `'2 days'`. */
export type Duration = string;

/** Which trouble of a job is reported, in the log, as an event and to hooks. */
export interface AlertConfig {
    /** How many runs in a row have to fail; `false`: never reported. Default 3. */
    failing?: number | false | undefined;
    /** How many times as long as usual a run has to take; `false`: never reported. Default 3. */
    slow?: number | false | undefined;
    /** Whether slots are reported that no process has reached for five minutes. Default true. */
    overdue?: boolean | undefined;
}

/** The settings of a background job: properties of the definition, or of the class in `meta()`, which wins. */
export interface BackgroundJobSettings {
    /** IANA time zone of the job's schedules. Default: `bot.timezone` of the config, else the process's zone. */
    timezone?: string;
    /** Run once for each tenant. Default: `true` where the app has a tenants table. */
    multiTenant?: boolean;
    /** Narrows the tenants: `tenants => tenants.where({ active: true })`. Default: all of them. */
    tenantsFilter?: (tenants: any) => any;
    /** What happens if a run is due while an earlier one of its lane is still running. Default `'skip'`. */
    overlap?: 'skip' | 'queue' | 'replace' | 'allow';
    /** Which of the slots that no bot reached in time still run. Default `'once'`: only the latest. */
    missed?: 'skip' | 'once' | 'all';
    /** How old a missed slot may be to still run. Default `'1h'`. */
    missedWithin?: Duration;
    /** After this long `this.signal` is aborted and the attempt has timed out. Default: none. */
    timeout?: Duration;
    /** How many more attempts a failed run gets. Default 0. */
    retries?: number;
    /** The wait before the first retry; it doubles each time, with jitter. Default `'10s'`. */
    retryDelay?: Duration;
    /** The values of `NODE_ENV` under which the schedules are in force. Default: all. */
    environments?: string[];
    /** Runs start up to this long after their slot, each job and tenant always after the same time. Default: none. */
    spread?: Duration;
    /**
     * Local days without slots: `'2026-12-25'`, `'2026-12-31/2027-01-01'` for a period that includes both ends, or a function
     * that is given a day and returns whether it has none.
     */
    except?: (string | ((day: string) => unknown))[];
    /** Which trouble is reported; `false`: none. Default: `bot.alerts` of the config. */
    alerts?: false | AlertConfig | undefined;
    /**
     * Where a monitor is told about runs: an address, with `/start` and `/fail` below it, or an address for each.
     * `{tenant}` in an address stands for the run's tenant. Default: nowhere.
     */
    heartbeat?: string | Partial<Record<'start' | 'success' | 'fail', string | undefined>> | undefined;
    /** A sentence for lists. */
    description?: string;
}

/** What a job sees of its own run, as `this.currentRun`. */
export interface CurrentRun {
    readonly id: string;
    readonly job: string;
    /** The slot, in unix seconds; undefined for a manual run of no slot. */
    readonly scheduledAt: number | undefined;
    /** How long after its slot the run started, in milliseconds; 0 without a slot. */
    readonly lateBy: number;
    /** 1 for the first attempt; grows with each retry. */
    readonly attempt: number;
    readonly tenant: string | number | undefined;
    /** Whether somebody asked for the run: it was not scheduled. */
    readonly manual: boolean;
    /** Who asked for it: `user@host`; undefined for a scheduled run. */
    readonly requestedBy: string | undefined;
}

/** `this` inside a background job's `run()`: all services of the framework and the app, and the run itself. */
export interface BackgroundJobInstance extends Services {
    /** Aborted at the run's timeout, when a newer run replaces it, and when the server stops and the run takes too long. */
    readonly signal: AbortSignal;
    /** The run that is being executed. (`this.run` is the method itself.) */
    readonly currentRun: CurrentRun;
    readonly context: Context;
}

/** `this` inside a background job's `meta()`: the class. */
export interface BackgroundJobClass extends BackgroundJobSettings {
    /** The job's name: its file's name, dasherized. */
    readonly name: string;
    /** The schedules as they were declared: `[crontab, ...args]`. */
    readonly schedules: [crontab: string, ...args: Json[]][];
    readonly filePaths: string[];
    /** Adds a schedule. Never throws: a bad one is reported with the job's name and file. */
    schedule(crontab: string, ...args: Json[]): this;
    /** Sets several settings. */
    assignProps(...settings: BackgroundJobSettings[]): this;
    include(...mixins: Mixin[]): this;
    /**
     * Adds a hook around each attempt of this job: `beforeRun()`, `afterRun()`, `runFailed(error)`; or for trouble:
     * `jobFailing({ failures, error })`, `jobRecovered({ failures, after })`, `runSlow({ usual, age })`,
     * `slotOverdue({ slot, by })`, with durations in milliseconds, and the slot in unix seconds. `this` is the job's
     * instance. A hook that throws is reported and changes nothing else.
     */
    addHook(
        names: HookName | HookName[],
        callback: string | ((this: BackgroundJobInstance, ...args: any[]) => unknown),
    ): void;
}

/** The hooks of a background job. */
export type HookName =
    | 'beforeRun'
    | 'afterRun'
    | 'runFailed'
    | 'jobFailing'
    | 'jobRecovered'
    | 'runSlow'
    | 'slotOverdue';

/** What `defineBackgroundJob` takes. It leaves `this` open, which depends on the job's helpers. */
export interface BackgroundJobShape extends BackgroundJobSettings {
    meta?(this: BackgroundJobClass): void;
    run(...args: any[]): any;
    [helper: string]: any;
}

/** What a file in `lib/background_jobs/` exports as default. Other properties are the job's own helpers. */
export interface BackgroundJobDefinition extends BackgroundJobShape {
    run(this: BackgroundJobInstance, ...args: any[]): unknown;
    /** Called before `run`, in the run's own workspace. If it returns a text, or true, the run is skipped for that reason. */
    skipWhen?(this: BackgroundJobInstance): unknown;
}

/** The registry of background jobs: `names`, `for(name)`, `register`, `unregister`, `create`. */
export interface BackgroundJobRegistry extends Omit<Registry, 'for' | 'addHook'> {
    for(name: string): BackgroundJobClass & Omit<Registry, keyof BackgroundJobClass>;
    /** Adds a hook around each attempt of every job. */
    addHook: BackgroundJobClass['addHook'];
    /** Grows by one each time a job is registered or unregistered. */
    readonly revision: number;
    /** The jobs that were registered or unregistered after a revision. */
    changedSince(revision: number): string[];
}
