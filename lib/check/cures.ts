import type { ScheduleFault } from '../bad_schedule_error.js';
import type { Problem } from '../problem.js';

type KindWithoutCure = ScheduleFault | 'bad-setting' | 'misspelt-setting' | 'meta-threw' | 'import-failed';

/** What to do about the kinds of problems whose reason does not end with it. */
const CURES: Readonly<Record<KindWithoutCure, string>> = {
    'bad-crontab': `write minute, hour, day of month, month and day of week, like '30 6 * * 1-5'`,
    'never-fires': 'write a date that exists, or remove the schedule',
    'bad-timezone': `write the zone's IANA name, like 'Europe/London'`,
    'bad-args': 'pass JSON values alone: texts, numbers, true, false, null, lists and plain objects',
    'bad-setting': 'give the setting a value that it takes, or leave it out for its default',
    'misspelt-setting': 'correct the name; a helper of your own needs one less like a setting',
    'meta-threw': 'mend meta(): until then the job has no schedule in force',
    'import-failed': 'mend what keeps the file from being imported',
};

/**
 * Takes a problem's reason apart.
 *
 * @param problem the problem
 * @returns what is wrong, and what to do about it
 */
export function messageAndCure({ kind, reason, cure }: Problem): { message: string; cure: string } {
    if (cure !== undefined) return { message: reason.replace(`: ${cure}`, ''), cure };
    return { message: reason, cure: CURES[kind as KindWithoutCure] };
}
