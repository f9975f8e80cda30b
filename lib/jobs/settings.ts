import { distance } from 'fastest-levenshtein';
import ms from 'ms';
import type { BackgroundJobSettings } from '../../types/background_job.js';
import { readAlerts } from '../config/alert_settings.js';
import {
    accepting,
    oneOf,
    readBoolean,
    readOptions,
    type Values,
    wholeNumberFrom,
} from '../config/options.js';
import { Exceptions } from '../schedule/exceptions.js';
import { show } from '../text/format.js';
import { parseDuration } from '../time/duration.js';
import { readTimezone } from '../time/timezone.js';
import { Heartbeat } from './heartbeat.js';

// types/background_job.ts says what each setting means. Here, durations are in milliseconds.
const OPTIONS = {
    timezone: { read: readTimezone },
    multiTenant: { read: readBoolean },
    tenantsFilter: {
        default: (tenants: unknown) => tenants,
        read: accepting<NonNullable<BackgroundJobSettings['tenantsFilter']>>(
            (value) => typeof value === 'function',
            'is not a function: write tenants => tenants.where({ ... })',
        ),
    },
    overlap: { default: 'skip', read: oneOf('skip', 'queue', 'replace', 'allow') },
    missed: { default: 'once', read: oneOf('skip', 'once', 'all') },
    missedWithin: { default: ms('1h'), read: parseDuration },
    timeout: {
        read(value: unknown) {
            const timeout = parseDuration(value);
            if (timeout === 0) throw new TypeError('leaves no time to run: leave it out for no timeout');
            return timeout;
        },
    },
    retries: { default: 0, read: wholeNumberFrom(0) },
    retryDelay: { default: ms('10s'), read: parseDuration },
    environments: {
        read: accepting<readonly string[]>(
            (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
            `is not a list of NODE_ENV values, like ['production']`,
        ),
    },
    spread: { default: 0, read: parseDuration },
    except: { read: (value: unknown) => new Exceptions(value) },
    /** Only what differs from the config. */
    alerts: { read: readAlerts },
    heartbeat: { read: (value: unknown) => new Heartbeat(value) },
    description: { read: accepting<string>((value) => typeof value === 'string', 'is not a text') },
} satisfies Record<keyof BackgroundJobSettings, unknown>;

/** The settings of a job, read and complete. */
export type Settings = Values<typeof OPTIONS>;

/** What becomes of a run that is due while an earlier one of its lane is still running. */
export type OverlapPolicy = Settings['overlap'];

export const SETTING_NAMES = Object.keys(OPTIONS) as (keyof Settings)[];

const MOST_EDITS_OF_A_TYPO = 2;

/**
 * Reads a job's settings.
 *
 * @param declared the values that the job declares; undefined and null mean the default
 * @returns the settings, with the default for each bad value, and a sentence about each of those
 */
export function readSettings(declared: Partial<Record<keyof Settings, unknown>>): {
    settings: Settings;
    complaints: string[];
} {
    const complaints: string[] = [];
    const given = Object.fromEntries(SETTING_NAMES.map((name) => [name, declared[name] ?? undefined]));
    const settings = readOptions(OPTIONS, given, (property, value, complaint) =>
        complaints.push(
            `its setting \`${property}\`${property === 'heartbeat' ? '' : `, ${show(value)},`} ${complaint}`,
        ),
    );
    return { settings, complaints };
}

/** The setting that a property was probably meant to be: its name is within two edits. */
export function misspeltSetting(property: string): keyof Settings | undefined {
    return SETTING_NAMES.find(
        (name) => name !== property && distance(name, property) <= MOST_EDITS_OF_A_TYPO,
    );
}
