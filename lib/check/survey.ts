import type { JobPlan } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import type { CrowdOptions } from './crowd.js';
import type { JobsFolder } from './jobs_folder.js';

/** Everything that a check looks at. */
export interface Survey extends CrowdOptions {
    readonly plans: readonly JobPlan[];
    /** Of jobs, and of files that made none. */
    readonly problems: readonly Problem[];
    /** What each job's `schedule()` calls were given, in order. */
    readonly declarations: ReadonlyMap<string, readonly (readonly unknown[])[]>;
    /** The texts of the job files. */
    readonly sources: ReadonlyMap<string, string>;
    /** undefined: there is none. */
    readonly folder: JobsFolder | undefined;
    /** IANA name of the zone that schedules without one are kept in. */
    readonly timezone: string;
    /** Why another zone stands in for the process's; undefined: none does. */
    readonly timezoneFault: string | undefined;
    /** Unix seconds: clocks that are set within a year from then count. */
    readonly now: number;
}

/**
 * Tells what a job's `schedule()` calls were given for a crontab.
 *
 * @param survey where the job is
 * @param job its name, dasherized
 * @returns the first argument of each call, in order
 */
export function crontabsOf(job: string, { declarations }: Survey): unknown[] {
    return (declarations.get(job) ?? []).map(([crontab]) => crontab);
}

/**
 * Writes a crontab as it was declared.
 *
 * @param crontab what was declared
 * @returns the same with single spaces; undefined where it is no text
 */
export function textOf(crontab: unknown): string | undefined {
    return typeof crontab === 'string' ? crontab.trim().replace(/\s+/g, ' ') : undefined;
}
