import type { JobPlan } from '../jobs/job_plan.js';
import { SETTING_NAMES, type Settings } from '../jobs/settings.js';
import type { ErrorRecord } from '../text/errors.js';
import { formatDuration } from '../time/duration.js';
import { processTimezone } from '../time/process_timezone.js';

/** A setting of a job, as it is in force. */
export interface SettingInForce {
    readonly name: keyof Settings;
    /** For JSON: durations are milliseconds, null is none. */
    readonly value: unknown;
    /** For people. */
    readonly text: string;
    /** Where it comes from. */
    readonly source: 'definition' | 'meta()' | 'config' | 'default';
}

/** What a job's settings depend on besides the job. */
export interface Surroundings {
    /** `bot.timezone`. */
    readonly timezone: string | undefined;
    /** Whether the app has a tenants table, or why nobody can tell. */
    readonly hasTenants: boolean | ErrorRecord;
}

const DURATIONS: readonly (keyof Settings)[] = ['missedWithin', 'timeout', 'retryDelay'];

/** All settings of a job but the description, in the order of the documentation, as they are in force. */
export function settingsInForce(plan: JobPlan, surroundings: Surroundings): SettingInForce[] {
    const names = SETTING_NAMES.filter((name) => name !== 'description');
    return names.map((name) => {
        const source =
            plan.sources[name] ?? (name === 'timezone' && surroundings.timezone ? 'config' : 'default');
        return { name, ...inForce(name, plan, surroundings), source };
    });
}

function inForce(
    name: keyof Settings,
    { settings, sources }: JobPlan,
    { timezone, hasTenants }: Surroundings,
): { value: unknown; text: string } {
    if (name === 'timezone') return plain(settings.timezone ?? timezone ?? processTimezone());
    if (name === 'multiTenant') {
        if (settings.multiTenant !== undefined) return plain(settings.multiTenant);
        if (typeof hasTenants === 'object')
            return { value: null, text: `true where the app has a tenants table (${hasTenants.message})` };
        return {
            value: hasTenants,
            text: `${hasTenants}: the app has ${hasTenants ? 'a' : 'no'} tenants table`,
        };
    }
    if (name === 'tenantsFilter') {
        return sources.tenantsFilter
            ? { value: 'function', text: 'a function' }
            : { value: null, text: 'all tenants' };
    }
    const value = settings[name];
    if (value === undefined) return { value: null, text: name === 'environments' ? 'all' : 'none' };
    if (DURATIONS.includes(name)) return { value, text: formatDuration(value as number) };
    return { value, text: Array.isArray(value) ? value.join(', ') : String(value) };
}

function plain(value: string | boolean): { value: unknown; text: string } {
    return { value, text: String(value) };
}
