import { readCrontab } from '../schedule/crontab.js';
import type { Schedule } from '../schedule/schedule.js';
import { formatUniqueMoment } from '../time/moment.js';
import type { Finding } from './finding.js';

/** So many jobs in one second are a crowd, where they cannot all run at once. */
export const CROWD = 10;

/** How many of them a message names. */
const MOST_NAMED = 20;

const DAY = 24 * 3600;

/** What decides which jobs meet. */
export interface CrowdOptions {
    /** IANA name of the zone to write times in. */
    readonly timezone: string;
    /** Unix seconds: the start of the first day of some month. */
    readonly firstOfMonth: number;
    /** How many runs of one second may go at once. */
    readonly concurrency: number;
}

/**
 * Finds seconds at which many jobs are due. It looks at seven days from the first of a month on, so that the answer does
 * not depend on the day on which it is asked for; schedules within the minute are left out.
 *
 * @returns a warning for each crowd, the largest first; one that is mostly made of jobs of larger ones is left out
 */
export function crowds(
    schedules: readonly Schedule[],
    { timezone, firstOfMonth, concurrency }: CrowdOptions,
): Finding[] {
    const jobsBySlot = new Map<number, Set<string>>();
    for (const group of byCalendar(schedules)) {
        for (const slot of slotsOf(group[0] as Schedule, firstOfMonth - 1, firstOfMonth + 7 * DAY)) {
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
        const { crontab, text } = schedule;
        if (readCrontab(crontab).second.values.length > 1) continue;
        const group = groups.get(text);
        if (group) group.push(schedule);
        else groups.set(text, [schedule]);
    }
    return groups.values();
}

function* slotsOf(schedule: Schedule, after: number, until: number): Generator<number> {
    for (let slot = schedule.next(after); slot !== undefined && slot < until; slot = schedule.next(slot)) {
        yield slot;
    }
}

function named(jobs: ReadonlySet<string>): string {
    const names = [...jobs].sort();
    const more = names.length - MOST_NAMED;
    return more > 0 ? `${names.slice(0, MOST_NAMED).join(', ')} and ${more} more` : names.join(', ');
}
