import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ms from 'ms';
import type { BotConfig } from '../../types/bot_config.js';
import { Project, Workspace } from '../framework.js';
import { readTimezone } from '../schedule/timezone.js';
import { show } from '../text/format.js';
import { importFault } from '../text/import_fault.js';
import { parseDuration } from '../time/duration.js';
import { type AlertSettings, DEFAULT_ALERTS, readAlerts } from './alert_settings.js';
import { type DashboardSettings, DEFAULT_DASHBOARD, readDashboardSettings } from './dashboard_settings.js';
import { type HealthSettings, readHealthSettings } from './health_settings.js';
import {
    accepting,
    hasKeys,
    type Options,
    oneOf,
    readBoolean,
    readOptions,
    unknownKey,
    wholeNumberFrom,
} from './options.js';
import { RedisSettings, showRedis } from './redis_settings.js';

/** How the bot reports what happens: for people, one JSON object a line, or not at all. */
export type LogFormat = NonNullable<BotConfig['log']>;

/** What a process does of the work of the engine `bullmq`. */
export type Role = NonNullable<BotConfig['role']>;

type EngineName = NonNullable<BotConfig['engine']>;

/** The `bot` section of `pinstripe.config.js`, read and complete. */
export interface Config {
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
    /** Whether what runs print is kept. */
    readonly output: boolean;
    /** So many of the last runs of each job that did not fail keep it. */
    readonly outputKept: number;
    /** Who may see the pages, and where they are; false: there are none. */
    readonly dashboard: DashboardSettings;
    /** From when on `/up` and `check-health` call something overdue. */
    readonly health: HealthSettings;
    /** What is told of jobs that say nothing else. */
    readonly alerts: AlertSettings;
}

/** The key `bot.journal` of the config, read and complete. */
export interface JournalSettings {
    /** `false`: in memory; undefined: `bot_<environment>.db` in the project's root, or in memory in tests. */
    readonly filename: string | false | undefined;
    /** How long runs are remembered, in milliseconds. */
    readonly retention: number;
    /** How many runs of each job are remembered. */
    readonly maxRunsPerJob: number;
    /** Whether nothing may run without the file. */
    readonly required: boolean;
}

/** A mistake in the `bot` section of `pinstripe.config.js`: the message names the key and the cure. */
export class ConfigError extends Error {
    override readonly name = 'ConfigError';
}

const CONFIG_FILE = 'pinstripe.config.js';

/** How many runs go at once with the engine `bullmq`: one hung job must not stop a worker. */
const WORKER_CONCURRENCY = 10;

const JOURNAL_OPTIONS: Options<JournalSettings> = {
    filename: {
        default: undefined,
        read: accepting(
            (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
            'is no path: for a journal in memory write `journal: false`',
        ),
    },
    retention: { default: ms('30d'), read: parseDuration },
    maxRunsPerJob: { default: 10_000, read: wholeNumberFrom(1) },
    required: { default: false, read: readBoolean },
};

/** The journal of an app whose config says nothing of it. */
export const DEFAULT_JOURNAL: JournalSettings = readJournalSettings({});

const OPTIONS: Options<Omit<Config, 'enabled'>> = {
    timezone: { default: undefined, read: readTimezone },
    concurrency: { default: 1, read: wholeNumberFrom(1) },
    turn: { default: ms('30s'), read: parseDuration },
    stopTimeout: { default: ms('25s'), read: parseDuration },
    log: { default: 'pretty', read: oneOf<LogFormat>('pretty', 'json', 'silent') },
    engine: { default: 'embedded', read: oneOf<EngineName>('embedded', 'bullmq') },
    journal: { default: DEFAULT_JOURNAL, read: readJournalSettings },
    redis: { default: undefined, read: (value) => new RedisSettings(value) },
    redisPrefix: {
        default: undefined,
        read: accepting(
            (value) => typeof value === 'string' && /^[\x21-\x7e]{1,200}$/.test(value),
            `is no prefix: write letters, digits and marks, like 'my-app:production'`,
        ),
    },
    role: { default: 'both', read: oneOf<Role>('both', 'scheduler', 'worker') },
    output: { default: true, read: readBoolean },
    outputKept: { default: 1_000, read: wholeNumberFrom(1) },
    dashboard: { default: DEFAULT_DASHBOARD, read: readDashboardSettings },
    health: { default: readHealthSettings({}), read: readHealthSettings },
    alerts: { default: DEFAULT_ALERTS, read: (value) => ({ ...DEFAULT_ALERTS, ...readAlerts(value) }) },
};

/** Keys that mean nothing to the embedded engine. */
const BULLMQ_KEYS = ['redis', 'redisPrefix', 'role'];

/** The config of an app whose `pinstripe.config.js` has no `bot` section. */
export const DEFAULT_CONFIG: Config = parseConfig(undefined);

/**
 * Reads the `bot` section.
 *
 * @param section its value: an object, `false` for no bot, or undefined for all defaults
 * @throws ConfigError for an unknown key, naming the nearest one, and for a bad value
 */
export function parseConfig(section: unknown): Config {
    const given = section === undefined || typeof section === 'boolean' ? {} : section;
    if (!hasKeys(given))
        throw wrong('`bot` is not an object: write `bot: { ... }`, or `bot: false` for no bot');
    const unknown = unknownKey(OPTIONS, given, 'bot.');
    if (unknown) throw wrong(`${unknown}.`);
    const options = readOptions(OPTIONS, given, (key, value, complaint) => {
        // It may have a password.
        if (key === 'dashboard') throw wrong(`\`bot.dashboard\` ${complaint}.`);
        throw wrong(`\`bot.${key}\`, ${key === 'redis' ? showRedis(value) : show(value)}, ${complaint}`);
    });
    const config = { enabled: section !== false, ...options };
    if (config.engine === 'embedded') {
        const stray = BULLMQ_KEYS.find((key) => given[key] !== undefined);
        if (stray === undefined) return config;
        throw wrong(
            `\`bot.${stray}\` is for the engine 'bullmq': add \`engine: 'bullmq'\`, or leave it out.`,
        );
    }
    if (config.redis === undefined)
        throw wrong(
            `the engine 'bullmq' needs \`bot.redis\`: where Redis is, like 'redis://127.0.0.1:6379'.`,
        );
    return given['concurrency'] === undefined ? { ...config, concurrency: WORKER_CONCURRENCY } : config;
}

/**
 * Reads the key `bot.journal`.
 *
 * @param value `false` for memory, or an object
 * @throws TypeError for an unknown key, naming the nearest one, and for a bad value
 */
function readJournalSettings(value: unknown): JournalSettings {
    if (value === false) return { ...DEFAULT_JOURNAL, filename: false };
    if (!hasKeys(value))
        throw new TypeError(`is neither false, for memory, nor an object, like { filename: 'bot.db' }`);
    const unknown = unknownKey(JOURNAL_OPTIONS, value);
    if (unknown) throw new TypeError(`has an ${unknown}`);
    return readOptions(JOURNAL_OPTIONS, value, (name, _value, complaint) => {
        throw new TypeError(`has a \`${name}\` that ${complaint}`);
    });
}

/**
 * Reads the config of the running app, through the framework's `config` service, in a workspace of its own.
 *
 * @throws ConfigError as `parseConfig` does, and where `pinstripe.config.js` cannot be imported: then it has a cause
 */
export async function loadConfig(): Promise<Config> {
    return parseConfig(await readSection());
}

async function readSection(): Promise<unknown> {
    const { rootPath = '' } = await Project.instance;
    const file = join(rootPath, CONFIG_FILE);
    let config: unknown = {};
    try {
        if (existsSync(file)) config = await (await import(pathToFileURL(file).href)).default;
        if (typeof config === 'object' && config !== null && !Array.isArray(config))
            return await Workspace.run(async function () {
                return (await this['config'])['bot'];
            });
    } catch (cause) {
        const { reason } = await importFault(cause, file);
        throw new ConfigError(`${CONFIG_FILE} ${reason}`, { cause });
    }
    // The framework takes a function, or a text, for a config without a single key.
    const what = config === undefined ? 'no default export' : `${show(config)} for its default export`;
    throw new ConfigError(`${CONFIG_FILE} has ${what}: write \`export default { bot: { ... } }\``);
}

function wrong(complaint: string): ConfigError {
    return new ConfigError(`${CONFIG_FILE}: ${complaint}`);
}
