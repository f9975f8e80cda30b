import { distance } from 'fastest-levenshtein';
import ms from 'ms';
import type { BackgroundJobSettings } from '../../types/background_job.js';
import { type AlertSettings, readAlerts } from '../config/alert_settings.js';
import {
    accepting,
    type Options,
    oneOf,
    readBoolean,
    readOptions,
    wholeNumberFrom,
} from '../config/options.js';
import { type Exceptions, readExceptions } from '../schedule/exceptions.js';
import { readTimezone } from '../schedule/timezone.js';
import { show } from '../text/format.js';
import { parseDuration } from '../time/duration.js';
import { Heartbeat } from './heartbeat.js';

/** What becomes of a run that is due while an earlier one of its lane is still going. */
export type OverlapPolicy = 'skip' | 'queue' | 'replace' | 'allow';

/** The settings of a job, read and complete. */
export interface Settings {
    /** IANA time zone; undefined: the config's, else the process's. */
    readonly timezone: string | undefined;
    /** undefined: true where the app has a tenants table. */
    readonly multiTenant: boolean | undefined;
    readonly tenantsFilter: NonNullable<BackgroundJobSettings['tenantsFilter']>;
    readonly overlap: OverlapPolicy;
    readonly missed: 'skip' | 'once' | 'all';
    /** In milliseconds. */
    readonly missedWithin: number;
    /** In milliseconds; undefined: none. */
    readonly timeout: number | undefined;
    readonly retries: number;
    /** In milliseconds. */
    readonly retryDelay: number;
    /** undefined: all. */
    readonly environments: readonly string[] | undefined;
    /** In milliseconds; 0: all runs of a slot start at it. */
    readonly spread: number;
    /** undefined: no day is taken out. */
    readonly except: Exceptions | undefined;
    /** What is told otherwise than the config says; undefined: nothing. */
    readonly alerts: Partial<AlertSettings> | undefined;
    /** What is pinged of its runs; undefined: nothing. */
    readonly heartbeat: Heartbeat | undefined;
    readonly description: string | undefined;
}

const OPTIONS: Options<Settings> = {
    timezone: { default: undefined, read: readTimezone },
    multiTenant: { default: undefined, read: readBoolean },
    tenantsFilter: {
        default: (tenants) => tenants,
        read: accepting(
            (value) => typeof value === 'function',
            'is not a function: write tenants => tenants.where({ ... })',
        ),
    },
    overlap: { default: 'skip', read: oneOf('skip', 'queue', 'replace', 'allow') },
    missed: { default: 'once', read: oneOf('skip', 'once', 'all') },
    missedWithin: { default: ms('1h'), read: parseDuration },
    timeout: {
        default: undefined,
        read(value) {
            const timeout = parseDuration(value);
            if (timeout === 0) throw new TypeError('leaves no time to run: leave it out for no timeout');
            return timeout;
        },
    },
    retries: { default: 0, read: wholeNumberFrom(0) },
    retryDelay: { default: ms('10s'), read: parseDuration },
    environments: {
        default: undefined,
        read: accepting(
            (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
            `is not a list of NODE_ENV values, like ['production']`,
        ),
    },
    spread: { default: 0, read: parseDuration },
    except: { default: undefined, read: readExceptions },
    alerts: { default: undefined, read: readAlerts },
    heartbeat: { default: undefined, read: (value) => new Heartbeat(value) },
    description: {
        default: undefined,
        read: accepting((value) => typeof value === 'string', 'is not a text'),
    },
};

/** The names of all settings. */
export const SETTING_NAMES = Object.keys(OPTIONS) as (keyof Settings)[];

const MOST_EDITS_OF_A_TYPO = 2;

/**
 * Reads a job's settings.
 *
 * @param declared the values that the job declares; undefined and null stand for the default
 * @returns the settings, with the default in place of each bad value, and a sentence on each of those
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

/** Finds the setting, within two edits, that the name of a property was probably meant to be. */
export function misspeltSetting(property: string): keyof Settings | undefined {
    return SETTING_NAMES.find(
        (name) => name !== property && distance(name, property) <= MOST_EDITS_OF_A_TYPO,
    );
}
