import type { AlertConfig, Duration } from './background_job.js';
import type { Services } from './framework.js';

/** The `bot` section of `pinstripe.config.js`, as an app writes it; `bot: false` keeps the bot out of the server. */
export interface BotConfig {
    /** IANA time zone of schedules without one of their own. Default: the process's. */
    timezone?: string | undefined;
    /** How many runs of one second run at the same time. Default 1; with the engine `bullmq`, of all runs: 10. */
    concurrency?: number | undefined;
    /** How long a run may hold up the others of its second. Default `'30s'`. */
    turn?: Duration | undefined;
    /** How long a stop waits for runs before it aborts them. Default `'25s'`. */
    stopTimeout?: Duration | undefined;
    /** Default `'pretty'`. */
    log?: 'pretty' | 'json' | 'silent' | undefined;
    /** Default `'embedded'`. */
    engine?: 'embedded' | 'bullmq' | undefined;
    /** Where the embedded engine remembers runs, and for how long; `false`: in memory. */
    journal?: false | JournalConfig | undefined;
    /** Where the engine `bullmq` has its Redis: a URL, or options of ioredis. */
    redis?: string | object | undefined;
    /** What all keys in Redis begin with. Default: made of the app's name and `NODE_ENV`. */
    redisPrefix?: string | undefined;
    /** With the engine `bullmq`: whether this process queues what is due, runs what is queued, or both (the default). */
    role?: 'both' | 'scheduler' | 'worker' | undefined;
    /** Whether what runs print with `console.*` is kept. Default true. */
    output?: boolean | undefined;
    /** How many of the last runs of each job keep it, besides all that failed. Default 1,000. */
    outputKept?: number | undefined;
    /** Where the pages about the jobs are, and who may see them. Default: this machine, in development and test. */
    dashboard?: false | DashboardConfig | undefined;
    /** When `/up` and `check-health` report slots as overdue. Default `'5m'`; `false` leaves `/up` alone. */
    health?: false | { overdue?: Duration | undefined } | undefined;
    /** Which trouble of jobs without `alerts` is reported; `false`: none. */
    alerts?: false | AlertConfig | undefined;
}

/** The key `dashboard` of the `bot` section. */
export interface DashboardConfig {
    /** Default `'bot'`. */
    path?: string | undefined;
    /** For basic authentication, together with `password`; whoever has both may do everything. */
    username?: string | undefined;
    password?: string | undefined;
    /** What a request may do: `'all'`, `'read'`, or anything else for nothing (a 404). */
    authorize?: ((this: Services) => unknown) | undefined;
    /** The values of these names in args are not shown. */
    hideArgs?: string[] | undefined;
}

/** The key `journal` of the `bot` section. */
export interface JournalConfig {
    /** Relative to the project's root. Default: `bot_<environment>.db`, or memory under `NODE_ENV=test`. */
    filename?: string | undefined;
    /** How long runs are remembered. Default `'30d'`. */
    retention?: Duration | undefined;
    /** How many runs of each job are remembered. Default 10,000. */
    maxRunsPerJob?: number | undefined;
    /** Whether nothing may run without the file. Default false. */
    required?: boolean | undefined;
}
