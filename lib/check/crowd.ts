import { readCrontab } from '../schedule/crontab.js';
import type { Schedule } from '../schedule/schedule.js';
import { formatUniqueMoment } from '../time/moment.js';
import type { Finding } from './finding.js';

/** How many jobs in one second are a crowd, if they cannot all run at the same time. */
export const CROWD = 10;

/** How many jobs a message names. */
const MOST_NAMED = 20;

const DAY = 24 * 3600;

export interface CrowdOptions {
    /** IANA name of the zone in which times are written. */
    readonly timezone: string;
    /** Unix seconds: the start of the first day of some month. */
    readonly firstOfMonth: number;
    /** How many runs of one second may be running at the same time. */
    readonly concurrency: number;
}

/**
 * Finds seconds at which many jobs are due. It looks at the first seven days of a month, so that the answer does not depend
 * on the day of the check; schedules within the minute are left out.
 *
 * @returns a warning for each crowd, the largest first; crowds that mostly consist of jobs of larger ones are left out
 */
export function crowds(
    schedules: readonly Schedule[],
    { timezone, firstOfMonth, concurrency }: CrowdOptions,
): Finding[] {
    const jobsBySlot = new Map<number, Set<string>>();
    for (const group of byCalendar(schedules)) {
        for (const slot of (group[0] as Schedule).slots(firstOfMonth - 1, firstOfMonth + 7 * DAY)) {
            const jobs = jobsBySlot.get(slot) ?? new Set();
            jobsBySlot.set(slot, jobs);
            for (const { job } of group) jobs.add(job);
        }
    }
    const found: { slot: number; jobs: ReadonlySet<string> }[] = [];
    const told = new Set<string>();
    const largestFirst = [...jobsBySlot]
        .filter(([, jobs]) => jobs.size >= CROWD && jobs.size > concurrency)
        .sort(([slotA, a], [slotB, b]) => b.size - a.size || slotA - slotB);
    for (const [slot, jobs] of largestFirst) {
        const fresh = [...jobs].filter((job) => !told.has(job));
        if (fresh.length < CROWD) continue;
        found.push({ slot, jobs });
        for (const job of fresh) told.add(job);
    }
    return found.map(({ slot, jobs }) => ({
        severity: 'warning',
        rule: 'crowd',
        message: `${jobs.size} jobs are due in one second, such as ${formatUniqueMoment(slot, timezone)}: ${named(jobs)}`,
        cure: 'give them different minutes, or raise bot.concurrency in pinstripe.config.js',
    }));
}

function byCalendar(schedules: readonly Schedule[]): Iterable<Schedule[]> {
    const groups = new Map<string, Schedule[]>();
    for (const schedule of schedules) {
        const { crontab, text, except, job } = schedule;
        if (readCrontab(crontab).second.values.length > 1) continue;
        // Each job has exceptions of its own.
        const key = except ? `${text} ${job}` : text;
        const group = groups.get(key);
        if (group) group.push(schedule);
        else groups.set(key, [schedule]);
    }
    return groups.values();
}

function named(jobs: ReadonlySet<string>): string {
    const names = [...jobs].sort();
    const more = names.length - MOST_NAMED;
    return more > 0 ? `${names.slice(0, MOST_NAMED).join(', ')} and ${more} more` : names.join(', ');
}
