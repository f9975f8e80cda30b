import ms from 'ms';
import { didYouMean } from '../text/suggestion.js';
import { parseDuration } from '../time/duration.js';

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

/** The journal of an app whose config says nothing of it. */
export const DEFAULT_JOURNAL: JournalSettings = {
    filename: undefined,
    retention: ms('30d'),
    maxRunsPerJob: 10_000,
    required: false,
};

const KEYS = Object.keys(DEFAULT_JOURNAL) as (keyof JournalSettings)[];

/**
 * Reads the key `bot.journal`.
 *
 * @param value `false` for memory, or an object
 * @returns the settings, complete
 * @throws TypeError for an unknown key, naming the nearest one, and for a bad value
 */
export function readJournalSettings(value: unknown): JournalSettings {
    if (value === false) return { ...DEFAULT_JOURNAL, filename: false };
    if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new TypeError(`is neither false, for memory, nor an object, like { filename: 'bot.db' }`);
    for (const key of Object.keys(value)) {
        if (!KEYS.some((known) => known === key))
            throw new TypeError(
                `has an unknown key \`${key}\`${didYouMean(key, KEYS)}. Known: ${KEYS.join(', ')}`,
            );
    }
    const { filename, retention, maxRunsPerJob, required } = value as Record<string, unknown>;
    return {
        filename: filename === undefined ? undefined : readFilename(filename),
        retention: retention === undefined ? DEFAULT_JOURNAL.retention : readRetention(retention),
        maxRunsPerJob: maxRunsPerJob === undefined ? DEFAULT_JOURNAL.maxRunsPerJob : readCount(maxRunsPerJob),
        required: required === undefined ? DEFAULT_JOURNAL.required : readBoolean(required),
    };
}

function readFilename(value: unknown): string {
    if (typeof value !== 'string' || value === '' || value.includes('\0'))
        throw new TypeError(
            `has a filename that is no path: for a journal in memory write \`journal: false\``,
        );
    return value;
}

function readRetention(value: unknown): number {
    try {
        return parseDuration(value);
    } catch (error) {
        throw new TypeError(`has a retention that ${(error as Error).message}`);
    }
}

function readCount(value: unknown): number {
    if (!Number.isSafeInteger(value) || (value as number) < 1)
        throw new TypeError('has a maxRunsPerJob that is not a whole number from 1 up');
    return value as number;
}

function readBoolean(value: unknown): boolean {
    if (typeof value !== 'boolean') throw new TypeError('has a `required` that is neither true nor false');
    return value;
}
