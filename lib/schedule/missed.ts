import type { Schedule } from './schedule.js';

/** Which missed slots run: none, the latest, or each in order. */
export type MissedPolicy = 'skip' | 'once' | 'all';

/** A slot that a running bot reaches within this many seconds is late, not missed. */
export const LATE_SECONDS = 10;

/** How many missed slots run under the policy `all`: the latest. */
export const MOST_CATCH_UPS = 100;

/** Slots that do not run are counted up to here: counting a year of seconds would take minutes. */
export const MOST_COUNTED = 1000;

/** Successive slots of one schedule that do not run, for the same reason. Unix seconds. */
export interface UnrunSlots {
    /**
     * `missed` (the policy is `skip`), `superseded` (a later one runs for them), `too old` (older than `missedWithin`),
     * `too many` (beyond the latest hundred).
     */
    readonly reason: 'missed' | 'superseded' | 'too old' | 'too many';
    readonly count: number;
    /** Whether there are more than `count`. */
    readonly atLeast: boolean;
    readonly first: number;
    readonly last: number;
}

/** Which slots of one schedule run and which do not, in order; unix seconds. */
export interface SlotDecision {
    readonly run: number[];
    readonly unrun: UnrunSlots[];
}

/** A time without ticks, after `after`, up to and including `now`; unix seconds. */
export interface Gap {
    readonly after: number;
    readonly now: number;
}

export interface MissedRules {
    readonly missed: MissedPolicy;
    /** In seconds: missed slots that are older do not run. */
    readonly missedWithin: number;
    /** Slots that have waited since before the gap, oldest first. */
    readonly earlier: readonly number[];
    /** The last second in which any process worked: the age of `earlier` counts from then. */
    readonly workedUntil: number;
}

type Slots = Pick<Schedule, 'next' | 'previous'>;

/** Whether a slot is missed rather than late. */
export function isMissed(slot: number, now: number): boolean {
    return slot <= now - LATE_SECONDS;
}

/**
 * Decides which slots of a gap, and which that have waited since before it, still run. The latest slot of the gap runs under
 * every policy if it is late rather than missed; the policy decides on all others.
 *
 * @param gap from when the schedule has been handled until now
 */
export function decideSlots(schedule: Slots, gap: Gap, rules: MissedRules): SlotDecision {
    const { earlier, missed, missedWithin, workedUntil } = rules;
    const { run, unrun } = decideGap(schedule, gap, rules);
    if (earlier.length === 0) return { run, unrun };
    const drop = (slots: readonly number[], reason: UnrunSlots['reason']) => [
        ...slots.map((slot) => ({ reason, count: 1, atLeast: false, first: slot, last: slot })),
        ...unrun,
    ];
    if (missed === 'skip') return { run, unrun: drop(earlier, 'missed') };
    if (gap.now - workedUntil > missedWithin) return { run, unrun: drop(earlier, 'too old') };
    const kept = [...earlier, ...run].slice(missed === 'once' ? -1 : -MOST_CATCH_UPS);
    const dropped = earlier.filter((slot) => slot < (kept[0] ?? 0));
    return { run: kept, unrun: drop(dropped, missed === 'once' ? 'superseded' : 'too many') };
}

function decideGap(
    schedule: Slots,
    { after, now }: Gap,
    { missed, missedWithin }: MissedRules,
): SlotDecision {
    const first = after + 1;
    const oldest = Math.ceil(now - missedWithin);
    const run = slotsToRun(schedule, { after, now }, missed, oldest);
    const until = (run[0] ?? now + 1) - 1;
    if (missed === 'skip') return { run, unrun: unrunSlots(schedule, 'missed', first, until) };
    const young = missed === 'once' ? 'superseded' : 'too many';
    return {
        run,
        unrun: [
            ...unrunSlots(schedule, 'too old', first, Math.min(oldest - 1, until)),
            ...unrunSlots(schedule, young, Math.max(first, oldest), until),
        ],
    };
}

function slotsToRun(schedule: Slots, { after, now }: Gap, missed: MissedPolicy, oldest: number): number[] {
    const latest = schedule.previous(now + 1);
    if (latest === undefined || latest <= after) return [];
    if (isMissed(latest, now) && (missed === 'skip' || latest < oldest)) return [];
    const run = [latest];
    if (missed !== 'all') return run;
    const earliest = Math.max(after + 1, oldest);
    let slot = schedule.previous(latest);
    for (
        ;
        slot !== undefined && slot >= earliest && run.length < MOST_CATCH_UPS;
        slot = schedule.previous(slot)
    )
        run.push(slot);
    return run.reverse();
}

function unrunSlots(schedule: Slots, reason: UnrunSlots['reason'], from: number, to: number): UnrunSlots[] {
    const first = from > to ? undefined : schedule.next(from - 1);
    if (first === undefined || first > to) return [];
    const last = schedule.previous(to + 1) ?? first;
    let count = 1;
    let slot = first;
    for (; slot < last && count < MOST_COUNTED; count++) slot = schedule.next(slot) ?? last;
    return [{ reason, count, atLeast: slot < last, first, last }];
}
