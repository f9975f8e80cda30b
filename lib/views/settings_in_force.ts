import { DEFAULT_ALERTS } from '../config/alert_settings.js';
import { Heartbeat } from '../jobs/heartbeat.js';
import type { JobPlan } from '../jobs/job_plan.js';
import { SETTING_NAMES, type Settings } from '../jobs/settings.js';
import { hasTenantsTable } from '../runs/tenants.js';
import { Exceptions } from '../schedule/exceptions.js';
import type { Survey } from '../scheduler/bot.js';
import { type ErrorRecord, readError } from '../text/errors.js';
import { formatDuration } from '../time/duration.js';
import { processTimezone } from '../time/process_timezone.js';

export interface SettingInForce {
    readonly name: keyof Settings;
    /** For JSON: durations are milliseconds, null is none. */
    readonly value: unknown;
    /** For people. */
    readonly text: string;
    readonly source: 'definition' | 'meta()' | 'config' | 'default';
}

interface Surroundings extends Pick<Survey, 'timezone' | 'alerts'> {
    /** Whether the app has a tenants table, or why nobody can tell. */
    readonly hasTenants: boolean | ErrorRecord;
}

const DURATIONS: readonly (keyof Settings)[] = ['missedWithin', 'timeout', 'retryDelay', 'spread'];

/** The settings of an app's job, none where its file made no class. */
export async function settingsOf(plan: JobPlan | undefined, survey: Survey): Promise<SettingInForce[]> {
    if (!plan) return [];
    return settingsInForce(plan, { ...survey, hasTenants: await hasTenantsTable().catch(readError) });
}

/** All settings of a job but the description, in the order of the documentation, as they are in force. */
export function settingsInForce(plan: JobPlan, surroundings: Surroundings): SettingInForce[] {
    return SETTING_NAMES.filter((name) => name !== 'description').map((name) => {
        const { timezone, alerts } = surroundings;
        const isConfigured = { timezone: Boolean(timezone), alerts: alerts !== DEFAULT_ALERTS }[
            name as string
        ];
        const usual = isConfigured ? 'config' : 'default';
        const [value, text = String(value)] = inForce(name, plan, surroundings);
        return { name, value, text, source: plan.sources[name] ?? usual };
    });
}

/** The value, and the text where it is another. */
function inForce(
    name: keyof Settings,
    { settings, sources }: JobPlan,
    { timezone, alerts, hasTenants }: Surroundings,
): [value: unknown, text?: string] {
    const value = settings[name];
    if (name === 'timezone') return [value ?? timezone ?? processTimezone()];
    if (name === 'alerts') {
        const inForce = { ...alerts, ...settings.alerts };
        const told = Object.entries(inForce).filter(([, value]) => value !== false);
        return [inForce, told.map(([alert, value]) => `${alert}: ${value}`).join(', ') || 'none'];
    }
    if (name === 'tenantsFilter') return sources[name] ? ['function', 'a function'] : [null, 'all tenants'];
    if (name === 'multiTenant' && value === undefined) {
        if (typeof hasTenants === 'object')
            return [null, `true where the app has a tenants table (${hasTenants.message})`];
        return [hasTenants, `${hasTenants}: the app has ${hasTenants ? 'a' : 'no'} tenants table`];
    }
    if (value === undefined) return [null, name === 'environments' ? 'all' : 'none'];
    if (value instanceof Exceptions) return [value, String(value)];
    if (value instanceof Heartbeat) return [String(value)];
    if (value === 0 && name === 'spread') return [null, 'none'];
    if (DURATIONS.includes(name)) return [value, formatDuration(value as number)];
    return Array.isArray(value) ? [value, value.join(', ')] : [value];
}
