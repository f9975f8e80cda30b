import { canonicalJson } from './args.js';
import { nextSlot } from './calendar.js';
import type { Schedule } from './schedule.js';

/** A schedule with more slots in a day is told of in one line. */
const MOST_LISTED = 12;

/** With more slots a preview is no help to anybody, and takes many seconds. */
export const MOST_SLOTS = 200_000;

const TOO_MANY = `There are more than ${MOST_SLOTS.toLocaleString('en')} slots in that time: choose a shorter one, or one job with --name.`;

/** In the calendar a fixed time comes once on every local day, at its first valid time: so begins each day. */
const MIDNIGHT = '0 0 * * *';

/** The slots of a schedule in one day: each of them, or, where there are many, the first, the last and their number. */
export interface PreviewEntry {
    readonly schedule: Schedule;
    /** Unix seconds. */
    readonly first: number;
    /** Unix seconds. */
    readonly last: number;
    readonly count: number;
}

/** One day of a preview. */
export interface PreviewDay {
    /** In the order of their first slots, then by job. */
    readonly entries: readonly PreviewEntry[];
}

/**
 * Tells what is due in a stretch of time, day by day. Days without slots are left out. Schedules of a job with equal args
 * that meet in one second make one run, which is the first one's.
 *
 * @param stretch in unix seconds: `from` is in it, `to` is not
 * @param timezone IANA name: whose days
 * @param startOf before which unix second slots of a job do not count
 * @returns the days, in order; each is worked out when it is asked for
 * @throws Error for more than two hundred thousand slots
 */
export function* previewDays(
    schedules: readonly Schedule[],
    { from, to }: { readonly from: number; readonly to: number },
    timezone: string,
    startOf: (job: string) => number = () => from,
): Generator<PreviewDay> {
    let coming = schedules.map((schedule) => ({
        schedule,
        runs: canonicalJson([schedule.job, ...schedule.args]),
        slot: schedule.next(Math.max(from, startOf(schedule.job)) - 1) ?? Infinity,
    }));
    let total = 0;
    for (;;) {
        coming = coming.filter(({ slot }) => slot < to);
        if (coming.length === 0) return;
        const earliest = coming.reduce((least, { slot }) => Math.min(least, slot), Infinity);
        const end = Math.min(to, nextSlot(MIDNIGHT, timezone, earliest) ?? to);
        const entries: PreviewEntry[] = [];
        const taken = new Set<string>();
        for (const cursor of coming) {
            const slots: number[] = [];
            for (; cursor.slot < end; cursor.slot = cursor.schedule.next(cursor.slot) ?? Infinity) {
                if (++total > MOST_SLOTS) throw new Error(TOO_MANY);
                const run = `${cursor.slot} ${cursor.runs}`;
                if (!taken.has(run)) slots.push(cursor.slot);
                taken.add(run);
            }
            entries.push(...entriesOf(cursor.schedule, slots));
        }
        yield { entries: entries.sort(byFirstSlotAndJob) };
    }
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
