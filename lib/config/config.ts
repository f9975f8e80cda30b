import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ms from 'ms';
import type { BotConfig } from '../../types/bot_config.js';
import { Project, Workspace } from '../framework.js';
import { show } from '../text/format.js';
import { importFault } from '../text/import_fault.js';
import { parseDuration } from '../time/duration.js';
import { readTimezone } from '../time/timezone.js';
import { type AlertSettings, DEFAULT_ALERTS, readAlerts } from './alert_settings.js';
import { DEFAULT_DASHBOARD, readDashboardSettings } from './dashboard_settings.js';
import {
    accepting,
    hasKeys,
    oneOf,
    readBoolean,
    readObject,
    readOptions,
    unknownKey,
    type Values,
    wholeNumberFrom,
} from './options.js';
import { RedisSettings, showRedis } from './redis_settings.js';

/** A mistake in the `bot` section of `pinstripe.config.js`; the message names the key and the cure. */
export class ConfigError extends Error {
    override readonly name = 'ConfigError';
}

const CONFIG_FILE = 'pinstripe.config.js';

/** The default concurrency with the engine `bullmq`: one job that hangs must not stop a worker. */
const WORKER_CONCURRENCY = 10;

const JOURNAL_OPTIONS = {
    /** False: in memory. */
    filename: {
        read: accepting<string | false>(
            (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
            'is not a path: for a journal in memory write `journal: false`',
        ),
    },
    retention: { default: ms('30d'), read: parseDuration },
    maxRunsPerJob: { default: 10_000, read: wholeNumberFrom(1) },
    required: { default: false, read: readBoolean },
};

/** The key `bot.journal`, read and complete. */
export type JournalSettings = Values<typeof JOURNAL_OPTIONS>;

/** The journal of an app whose config says nothing of it. */
export const DEFAULT_JOURNAL = readJournal({});

const HEALTH_OPTIONS = { overdue: { default: ms('5m'), read: parseDuration } };

// types/bot_config.ts says what each key means. Here, durations are in milliseconds.
const OPTIONS = {
    timezone: { read: readTimezone },
    concurrency: { default: 1, read: wholeNumberFrom(1) },
    turn: { default: ms('30s'), read: parseDuration },
    stopTimeout: { default: ms('25s'), read: parseDuration },
    log: { default: 'pretty', read: oneOf('pretty', 'json', 'silent') },
    engine: { default: 'embedded', read: oneOf('embedded', 'bullmq') },
    journal: { default: DEFAULT_JOURNAL, read: readJournal },
    redis: { read: (value: unknown) => new RedisSettings(value) },
    redisPrefix: {
        read: accepting<string>(
            (value) => typeof value === 'string' && /^[\x21-\x7e]{1,200}$/.test(value),
            `is not a prefix: write letters, digits and marks, like 'my-app:production'`,
        ),
    },
    role: { default: 'both', read: oneOf('both', 'scheduler', 'worker') },
    output: { default: true, read: readBoolean },
    outputKept: { default: 1_000, read: wholeNumberFrom(1) },
    dashboard: { default: DEFAULT_DASHBOARD, read: readDashboardSettings },
    health: { default: readHealth({}), read: readHealth },
    alerts: {
        default: DEFAULT_ALERTS,
        read: (value: unknown): AlertSettings => ({ ...DEFAULT_ALERTS, ...readAlerts(value) }),
    },
} satisfies Record<keyof BotConfig, unknown>;

/** The `bot` section of `pinstripe.config.js`, read and complete. */
export interface Config extends Values<typeof OPTIONS> {
    /** False where the section is `bot: false`: the bot does not start with the server. */
    readonly enabled: boolean;
}

/** How late a slot is overdue, in milliseconds; also if `/up` is left alone. */
export function overdueAfter(health: Config['health']): number {
    return health ? health.overdue : HEALTH_OPTIONS.overdue.default;
}

/** How the bot reports what happens: for people, one JSON object a line, or not at all. */
export type LogFormat = Config['log'];

/** Keys that the embedded engine has no use for. */
const BULLMQ_KEYS = ['redis', 'redisPrefix', 'role'];

/** The config of an app whose `pinstripe.config.js` has no `bot` section. */
export const DEFAULT_CONFIG: Config = parseConfig(undefined);

/**
 * Reads the `bot` section.
 *
 * @param section its value: an object, `false` for no bot, or undefined for all defaults
 * @throws ConfigError for an unknown key, naming the nearest known one, and for a bad value
 */
export function parseConfig(section: unknown): Config {
    const given = section === undefined || typeof section === 'boolean' ? {} : section;
    if (!hasKeys(given))
        throw wrong('`bot` is not an object: write `bot: { ... }`, or `bot: false` for no bot');
    const unknown = unknownKey(OPTIONS, given, 'bot.');
    if (unknown) throw wrong(`${unknown}.`);
    const options = readOptions(OPTIONS, given, (key, value, complaint) => {
        // Its value may contain a password.
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

function readJournal(value: unknown): JournalSettings {
    if (value === false) return { ...DEFAULT_JOURNAL, filename: false };
    const what = `is neither false, for memory, nor an object, like { filename: 'bot.db' }`;
    return readObject(JOURNAL_OPTIONS, value, what);
}

function readHealth(value: unknown): false | Values<typeof HEALTH_OPTIONS> {
    if (value === false) return false;
    return readObject(HEALTH_OPTIONS, value, "is neither false nor an object, like { overdue: '5m' }");
}

/**
 * Reads the config of the running app, through the framework's `config` service, in a workspace of its own.
 *
 * @throws ConfigError as `parseConfig` does; with a cause if `pinstripe.config.js` cannot be imported
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
        if (hasKeys(config))
            return await Workspace.run(async function () {
                return (await this['config'])['bot'];
            });
    } catch (cause) {
        const { reason } = await importFault(cause, file);
        throw new ConfigError(`${CONFIG_FILE} ${reason}`, { cause });
    }
    // To the framework, a function or a text is a config without keys.
    const what = config === undefined ? 'no default export' : `${show(config)} for its default export`;
    throw new ConfigError(`${CONFIG_FILE} has ${what}: write \`export default { bot: { ... } }\``);
}

function wrong(complaint: string): ConfigError {
    return new ConfigError(`${CONFIG_FILE}: ${complaint}`);
}
