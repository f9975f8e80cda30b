import { formatMoment } from '../time/moment.js';
import { canonicalJson } from './args.js';
import type { Schedule } from './schedule.js';

/** A schedule with more slots in a day is shown in one line. */
const MOST_LISTED = 12;

/** A preview of more slots helps nobody, and takes many seconds. */
export const MOST_SLOTS = 200_000;

const TOO_MANY = `There are more than ${MOST_SLOTS.toLocaleString('en')} slots in that time: choose a shorter one, or one job with --name.`;

/** The slots of a schedule on one day: each of them, or, where there are many, the first, the last and their number. */
export interface PreviewEntry {
    readonly schedule: Schedule;
    /** Unix seconds. */
    readonly first: number;
    /** Unix seconds. */
    readonly last: number;
    readonly count: number;
}

export interface PreviewDay {
    /** The local date, such as `2026-12-25`. */
    readonly date: string;
    /** In the order of their first slots, then by job. */
    readonly entries: readonly PreviewEntry[];
}

/**
 * Lists what is due from one unix second until before another, day by day; days without slots are left out. Schedules of a
 * job with equal args that meet in one second make one run, which is shown at the first of them.
 *
 * @param timezone IANA name: whose days
 * @param startOf before which unix second slots of a job do not count
 * @throws Error for more than two hundred thousand slots
 */
export function previewDays(
    schedules: readonly Schedule[],
    { from, to }: { readonly from: number; readonly to: number },
    timezone: string,
    startOf: (job: string) => number = () => from,
): PreviewDay[] {
    const days = new Map<string, PreviewEntry[]>();
    const taken = new Set<string>();
    let total = 0;
    for (const schedule of schedules) {
        const runs = canonicalJson([schedule.job, ...schedule.args]);
        const slotsByDate = new Map<string, number[]>();
        const start = Math.max(from, startOf(schedule.job));
        for (const slot of schedule.slots(start - 1, to)) {
            if (++total > MOST_SLOTS) throw new Error(TOO_MANY);
            const run = `${slot} ${runs}`;
            if (taken.has(run)) continue;
            taken.add(run);
            const date = formatMoment(slot, timezone).slice(0, 10);
            const slots = slotsByDate.get(date) ?? [];
            slotsByDate.set(date, slots);
            slots.push(slot);
        }
        for (const [date, slots] of slotsByDate) {
            const entries = days.get(date) ?? [];
            days.set(date, entries);
            entries.push(...entriesOf(schedule, slots));
        }
    }
    return [...days]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([date, entries]) => ({ date, entries: entries.sort(byFirstSlotAndJob) }));
}

function entriesOf(schedule: Schedule, slots: readonly number[]): PreviewEntry[] {
    const [first, last] = [slots[0] ?? 0, slots.at(-1) ?? 0];
    if (slots.length > MOST_LISTED) return [{ schedule, first, last, count: slots.length }];
    return slots.map((slot) => ({ schedule, first: slot, last: slot, count: 1 }));
}

function byFirstSlotAndJob(a: PreviewEntry, b: PreviewEntry): number {
    const [jobA, jobB] = [a.schedule.job, b.schedule.job];
    return a.first - b.first || (jobA < jobB ? -1 : Number(jobA > jobB));
}
