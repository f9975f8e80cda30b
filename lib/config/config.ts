import ms from 'ms';
import { Project, Workspace } from '../framework.js';
import { importFault } from '../jobs/job_file.js';
import { BadScheduleError } from '../schedule/schedule.js';
import { readTimezone } from '../schedule/timezone.js';
import { show } from '../text/format.js';
import { didYouMean } from '../text/suggestion.js';
import { parseDuration } from '../time/duration.js';
import { DEFAULT_JOURNAL, type JournalSettings, readJournalSettings } from './journal_settings.js';
import { oneOf } from './one_of.js';
import { RedisSettings, showRedis } from './redis_settings.js';

/** How the bot reports what happens: for people, one JSON object a line, or not at all. */
export type LogFormat = 'pretty' | 'json' | 'silent';

/** The engines that there are. */
export type EngineName = 'embedded' | 'bullmq';

/** What a process does of the work of the engine `bullmq`. */
export type Role = 'both' | 'scheduler' | 'worker';

/** The `bot` section of `pinstripe.config.js`, read and complete. */
export interface BotConfig {
    /** False where the section is `bot: false`: the bot does not start with the server. */
    readonly enabled: boolean;
    /** IANA time zone of schedules without one of their own; undefined: the process's. */
    readonly timezone: string | undefined;
    /** How many of a second's runs may have their turn at once; with the engine `bullmq`, how many go at once. */
    readonly concurrency: number;
    /** How long a run may keep the others of its second waiting, in milliseconds. */
    readonly turn: number;
    /** How long a stop waits for runs in flight before it aborts them, in milliseconds. */
    readonly stopTimeout: number;
    readonly log: LogFormat;
    /** Where runs are claimed and remembered. */
    readonly engine: EngineName;
    /** What the embedded engine remembers them in. */
    readonly journal: JournalSettings;
    /** Where the engine `bullmq` has its queue; undefined with the other engine. */
    readonly redis: RedisSettings | undefined;
    /** What all its keys begin with; undefined: made of the app's name and its environment. */
    readonly redisPrefix: string | undefined;
    /** Whether this process adds what is due to the queue, executes what is in it, or both. */
    readonly role: Role;
}

/** A mistake in the `bot` section of `pinstripe.config.js`: the message names the key and the cure. */
export class ConfigError extends Error {
    override readonly name = 'ConfigError';
}

type Key = Exclude<keyof BotConfig, 'enabled'>;
const CONFIG_FILE = 'pinstripe.config.js';

type Readers = {
    [Name in Key]: {
        default: BotConfig[Name];
        read(value: unknown): BotConfig[Name];
        /** How a bad value is written in the error, where not as it is. */
        show?: (value: unknown) => string;
    };
};

/** How many runs go at once with the engine `bullmq`: one hung job must not stop a worker. */
const WORKER_CONCURRENCY = 10;

const READERS: Readers = {
    timezone: { default: undefined, read: readTimezone },
    concurrency: {
        default: 1,
        read(value) {
            if (!Number.isSafeInteger(value) || (value as number) < 1)
                throw new TypeError('is not a whole number from 1 up');
            return value as number;
        },
    },
    turn: { default: ms('30s'), read: parseDuration },
    stopTimeout: { default: ms('25s'), read: parseDuration },
    log: { default: 'pretty', read: oneOf<LogFormat>('pretty', 'json', 'silent') },
    engine: { default: 'embedded', read: oneOf<EngineName>('embedded', 'bullmq') },
    journal: { default: DEFAULT_JOURNAL, read: readJournalSettings },
    redis: { default: undefined, read: (value) => new RedisSettings(value), show: showRedis },
    redisPrefix: {
        default: undefined,
        read(value) {
            if (typeof value !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(value))
                throw new TypeError(
                    `is no prefix: write letters, digits and marks, like 'my-app:production'`,
                );
            return value;
        },
    },
    role: { default: 'both', read: oneOf<Role>('both', 'scheduler', 'worker') },
};

/** Keys that say nothing to the embedded engine. */
const BULLMQ_KEYS: readonly Key[] = ['redis', 'redisPrefix', 'role'];

const KEYS = Object.keys(READERS) as Key[];

/** The config of an app whose `pinstripe.config.js` has no `bot` section. */
export const DEFAULT_CONFIG: BotConfig = parseConfig(undefined);

/**
 * Reads the `bot` section.
 *
 * @param section its value: an object, `false` for no bot, or undefined for all defaults
 * @returns the config, complete
 * @throws ConfigError for an unknown key, naming the nearest one, and for a bad value
 */
export function parseConfig(section: unknown): BotConfig {
    const keys = section === undefined || typeof section === 'boolean' ? {} : section;
    if (typeof keys !== 'object' || keys === null || Array.isArray(keys)) {
        throw new ConfigError(
            'pinstripe.config.js: `bot` is not an object: write `bot: { ... }`, or `bot: false` for no bot',
        );
    }
    for (const key of Object.keys(keys)) {
        if (KEYS.some((known) => known === key)) continue;
        throw new ConfigError(
            `pinstripe.config.js: unknown key \`bot.${key}\`${didYouMean(key, KEYS)}. Known: ${KEYS.join(', ')}.`,
        );
    }
    const given = keys as Partial<Record<Key, unknown>>;
    const entries = KEYS.map((key) => [key, readKey(key, given[key])]);
    const config = { enabled: section !== false, ...Object.fromEntries(entries) } as BotConfig;
    if (config.engine === 'embedded') checkEmbedded(given);
    else if (config.redis === undefined) throw redisMissing();
    else if (given.concurrency === undefined) return { ...config, concurrency: WORKER_CONCURRENCY };
    return config;
}

/**
 * Reads the config of the running app, through the framework's `config` service, in a workspace of its own.
 *
 * @returns the config, complete
 * @throws ConfigError as `parseConfig` does, and where `pinstripe.config.js` cannot be imported: then it has a cause
 */
export async function loadConfig(): Promise<BotConfig> {
    return parseConfig(await readSection());
}

async function readSection(): Promise<unknown> {
    try {
        return await Workspace.run(async function () {
            return (await this['config'])['bot'];
        });
    } catch (cause) {
        const { configPath = CONFIG_FILE } = await Project.instance;
        const { reason } = await importFault(cause, configPath);
        throw new ConfigError(`${CONFIG_FILE} ${reason}`, { cause });
    }
}

function checkEmbedded(given: Partial<Record<Key, unknown>>): void {
    const stray = BULLMQ_KEYS.find((key) => given[key] !== undefined);
    if (stray !== undefined) {
        throw new ConfigError(
            `pinstripe.config.js: \`bot.${stray}\` is for the engine 'bullmq': add \`engine: 'bullmq'\`, or leave it out.`,
        );
    }
}

function redisMissing(): ConfigError {
    return new ConfigError(
        `pinstripe.config.js: the engine 'bullmq' needs \`bot.redis\`: where Redis is, like 'redis://127.0.0.1:6379'.`,
    );
}

function readKey(key: Key, value: unknown): unknown {
    const reader: Readers[Key] = READERS[key];
    if (value === undefined) return reader.default;
    try {
        return reader.read(value);
    } catch (error) {
        if (!(error instanceof TypeError || error instanceof BadScheduleError)) throw error;
        throw new ConfigError(
            `pinstripe.config.js: \`bot.${key}\`, ${(reader.show ?? show)(value)}, ${error.message}`,
        );
    }
}
