import ms from 'ms';
import { parseDuration } from './duration.js';
import { Workspace } from './host.js';
import { DEFAULT_JOURNAL, type JournalSettings, readJournalSettings } from './journal_settings.js';
import { BadScheduleError } from './schedule.js';
import { show } from './show.js';
import { didYouMean } from './suggestion.js';
import { readTimezone } from './timezone.js';

/** How the bot reports what happens: for people, one JSON object a line, or not at all. */
export type LogFormat = 'pretty' | 'json' | 'silent';

/** The engines that there are. */
export type EngineName = 'embedded';

/** The `bot` section of `pinstripe.config.js`, read and complete. */
export interface BotConfig {
    /** False where the section is `bot: false`: the bot does not start with the server. */
    readonly enabled: boolean;
    /** IANA time zone of schedules without one of their own; undefined: the process's. */
    readonly timezone: string | undefined;
    /** How many of a second's runs may have their turn at once. */
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
}

/** A mistake in the `bot` section of `pinstripe.config.js`: the message names the key and the cure. */
export class ConfigError extends Error {
    override readonly name = 'ConfigError';
}

type Key = Exclude<keyof BotConfig, 'enabled'>;
type Readers = { [Name in Key]: { default: BotConfig[Name]; read(value: unknown): BotConfig[Name] } };

const LOG_FORMATS: readonly LogFormat[] = ['pretty', 'json', 'silent'];

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
    log: {
        default: 'pretty',
        read(value) {
            const format = LOG_FORMATS.find((known) => known === value);
            if (!format)
                throw new TypeError(`is none of ${LOG_FORMATS.map((known) => `'${known}'`).join(', ')}`);
            return format;
        },
    },
    engine: {
        default: 'embedded',
        read(value) {
            if (value === 'bullmq')
                throw new TypeError(`is not part of this release: write 'embedded', or leave it out`);
            if (value !== 'embedded') throw new TypeError(`is none of 'embedded'`);
            return value;
        },
    },
    journal: { default: DEFAULT_JOURNAL, read: readJournalSettings },
};

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
    const entries = KEYS.map((key) => [key, readKey(key, (keys as Partial<Record<Key, unknown>>)[key])]);
    return { enabled: section !== false, ...Object.fromEntries(entries) } as BotConfig;
}

/**
 * Reads the config of the running app, through the framework's `config` service, in a workspace of its own.
 *
 * @returns the config, complete
 * @throws ConfigError as `parseConfig` does, and whatever `pinstripe.config.js` itself throws
 */
export async function loadConfig(): Promise<BotConfig> {
    return parseConfig(
        await Workspace.run(async function () {
            return (await this['config'])['bot'];
        }),
    );
}

function readKey(key: Key, value: unknown): unknown {
    const reader = READERS[key];
    if (value === undefined) return reader.default;
    try {
        return reader.read(value);
    } catch (error) {
        if (!(error instanceof TypeError || error instanceof BadScheduleError)) throw error;
        throw new ConfigError(`pinstripe.config.js: \`bot.${key}\`, ${show(value)}, ${error.message}`);
    }
}
