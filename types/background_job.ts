import type { Json } from '../lib/schedule/args.js';
import type { Context, Mixin, Registry, Services } from './framework.js';

/** A length of time with its unit: `'500ms'`, `'25s'`, `'10m'`, `'1h'`, `'2 days'`. */
export type Duration = string;

/** What is told of a job in trouble, in the log, as an event, and to hooks; `false` each: nothing. */
export interface AlertConfig {
    /** That so many of its runs in a row have failed. Default 3. */
    failing?: number | false | undefined;
    /** That a run takes so many times as long as usual. Default 3. */
    slow?: number | false | undefined;
    /** That nobody got to a slot for five minutes. Default true. */
    overdue?: boolean | undefined;
}

/** The settings of a background job; each may stand on the definition, or on the class in `meta()` (which wins). */
export interface BackgroundJobSettings {
    /** IANA time zone of the job's schedules. Default: `bot.timezone` of the config, else the process's zone. */
    timezone?: string;
    /** Run once for each tenant. Default: `true` where the app has a tenants table. */
    multiTenant?: boolean;
    /** Narrows the tenants: `tenants => tenants.where({ active: true })`. Default: all of them. */
    tenantsFilter?: (tenants: any) => any;
    /** What happens when a run is due while an earlier one of its lane is still going. Default `'skip'`. */
    overlap?: 'skip' | 'queue' | 'replace' | 'allow';
    /** Which slots that no bot reached in time still run. Default `'once'`: the latest only. */
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
    /** The runs of a slot start within so much time after it, each job and tenant always at the same offset. Default: none. */
    spread?: Duration;
    /**
     * Local days that are taken out of all schedules: `'2026-12-25'`, `'2026-12-31/2027-01-01'` for a stretch with both of its
     * ends, or a function of the day that answers whether it is out.
     */
    except?: (string | ((day: string) => unknown))[];
    /** What is told when it is in trouble. Default: as `bot.alerts` of the config says. */
    alerts?: false | AlertConfig | undefined;
    /**
     * What is pinged of its runs: the address of a monitor, with `/start` and `/fail` below it, or an address for each.
     * `{tenant}` in an address stands for the run's tenant. Default: nothing.
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
    /** How long after its slot the run started, in milliseconds; 0 where there is no slot. */
    readonly lateBy: number;
    /** 1 for the first attempt; grows with each retry. */
    readonly attempt: number;
    readonly tenant: string | number | undefined;
    /** Whether somebody asked for it, rather than the clock. */
    readonly manual: boolean;
    /** Who asked for it: `user@host`; undefined where nobody did. */
    readonly requestedBy: string | undefined;
}

/** `this` inside a background job's `run()`: all services of the framework and the app, and the run itself. */
export interface BackgroundJobInstance extends Services {
    /** Aborted at the run's timeout, when a newer run replaces it, and at the end of a shutdown's patience. */
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
    /** Sets several settings at once. */
    assignProps(...settings: BackgroundJobSettings[]): this;
    include(...mixins: Mixin[]): this;
    /**
     * Adds a hook around each attempt of this job: `beforeRun()`, `afterRun()`, `runFailed(error)`; or one that is told
     * when it is in trouble: `jobFailing({ failures, error })`, `jobRecovered({ failures, after })`, `runSlow({ usual, age })`,
     * `slotOverdue({ slot, by })`, with times in milliseconds, and the slot in unix seconds. `this` is the job's instance; a hook that throws is reported and changes nothing else.
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

/** What `defineBackgroundJob` takes: what `this` is inside `run()` and the helpers depends on the helpers there are. */
export interface BackgroundJobShape extends BackgroundJobSettings {
    meta?(this: BackgroundJobClass): void;
    run(...args: any[]): any;
    [helper: string]: any;
}

/** What a file in `lib/background_jobs/` exports as default. Any other property is the job's own helper. */
export interface BackgroundJobDefinition extends BackgroundJobShape {
    run(this: BackgroundJobInstance, ...args: any[]): unknown;
    /** Asked before `run`, in the run's own workspace: a text, or true, skips the run with that reason. */
    skipWhen?(this: BackgroundJobInstance): unknown;
}

/** The registry of background jobs: `names`, `for(name)`, `register`, `unregister`, `create`. */
export interface BackgroundJobRegistry extends Omit<Registry, 'for' | 'addHook'> {
    for(name: string): BackgroundJobClass & Omit<Registry, keyof BackgroundJobClass>;
    /** Adds a hook around each attempt of every job. */
    addHook: BackgroundJobClass['addHook'];
    /** How many times a job was registered or unregistered; grows by one each time. */
    readonly revision: number;
    /** Which jobs were registered or unregistered after the given revision. */
    changedSince(revision: number): string[];
}
