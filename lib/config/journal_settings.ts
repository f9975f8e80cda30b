import ms from 'ms';
import { parseDuration } from '../time/duration.js';
import { hasKeys, type Options, readBoolean, readOptions, unknownKey, wholeNumberFrom } from './options.js';

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

const OPTIONS: Options<JournalSettings> = {
    filename: {
        default: undefined,
        read(value) {
            if (typeof value !== 'string' || value === '' || value.includes('\0'))
                throw new TypeError('is no path: for a journal in memory write `journal: false`');
            return value;
        },
    },
    retention: { default: ms('30d'), read: parseDuration },
    maxRunsPerJob: { default: 10_000, read: wholeNumberFrom(1) },
    required: { default: false, read: readBoolean },
};

/** The journal of an app whose config says nothing of it. */
export const DEFAULT_JOURNAL: JournalSettings = readJournalSettings({});

/**
 * Reads the key `bot.journal`.
 *
 * @param value `false` for memory, or an object
 * @throws TypeError for an unknown key, naming the nearest one, and for a bad value
 */
export function readJournalSettings(value: unknown): JournalSettings {
    if (value === false) return { ...DEFAULT_JOURNAL, filename: false };
    if (!hasKeys(value))
        throw new TypeError(`is neither false, for memory, nor an object, like { filename: 'bot.db' }`);
    const unknown = unknownKey(OPTIONS, value);
    if (unknown) throw new TypeError(`has an ${unknown}`);
    return readOptions(OPTIONS, value, (name, _value, complaint) => {
        throw new TypeError(`has a \`${name}\` that ${complaint}`);
    });
}
