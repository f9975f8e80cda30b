import type { Schedule } from './schedule.js';

/** What becomes of missed slots: none runs, the latest one, or each in order. */
export type MissedPolicy = 'skip' | 'once' | 'all';

/** A slot that a running bot reaches within this many seconds is late, not missed. */
export const LATE_SECONDS = 10;

/** Of many missed slots, as many of the latest run under the policy `all`. */
export const MOST_CATCH_UPS = 100;

/** Slots that do not run are counted this far: counting a year of seconds would take minutes. */
export const MOST_COUNTED = 1000;

/**
 * Why slots do not run: `missed` (the policy is `skip`), `superseded` (a later one runs for them), `too old` (older
 * than `missedWithin`), `too many` (beyond the latest hundred).
 */
export type UnrunReason = 'missed' | 'superseded' | 'too old' | 'too many';

/** Successive slots of one schedule that do not run, for one reason. */
export interface UnrunSlots {
    readonly reason: UnrunReason;
    readonly count: number;
    /** Whether there are more of them than were counted. */
    readonly atLeast: boolean;
    /** Unix seconds. */
    readonly first: number;
    /** Unix seconds. */
    readonly last: number;
}

/** What becomes of the slots of one schedule. */
export interface SlotDecision {
    /** The slots that run, in order; unix seconds. */
    readonly run: number[];
    /** The others, in order. */
    readonly unrun: UnrunSlots[];
}

/** A stretch of time without ticks: the slots after `after`, up to and with `now`; unix seconds. */
export interface Gap {
    readonly after: number;
    readonly now: number;
}

/** How missed slots are decided on. */
export interface MissedRules {
    readonly missed: MissedPolicy;
    /** In seconds: missed slots that are older than that do not run. */
    readonly missedWithin: number;
    /** After a gap: slots that wait since before it, oldest first. */
    readonly earlier: readonly number[];
    /** The last second in which any process worked: from then on what waits grows older. */
    readonly workedUntil: number;
}

/** Whether a slot is missed rather than late. */
export function isMissed(slot: number, now: number): boolean {
    return slot <= now - LATE_SECONDS;
}

/**
 * Decides which of a schedule's slots still run. The latest slot of the gap runs under every policy when it is late rather
 * than missed; all others go through the policy.
 *
 * @param schedule whose slots
 * @param gap from where the schedule is handled, up to now
 * @returns what runs and what does not; together they are all slots of the gap, and the earlier ones
 */
export function decideSlots(
    schedule: Pick<Schedule, 'next' | 'previous'>,
    gap: Gap,
    rules: MissedRules,
): SlotDecision {
    const { run, unrun } = decideGap(schedule, gap, rules);
    const drop = (slots: readonly number[], reason: UnrunReason) => [
        ...slots.map((slot) => ({ reason, count: 1, atLeast: false, first: slot, last: slot })),
        ...unrun,
    ];
    const { earlier, missed } = rules;
    if (earlier.length === 0) return { run, unrun };
    if (missed === 'skip') return { run, unrun: drop(earlier, 'missed') };
    if (gap.now - rules.workedUntil > rules.missedWithin) return { run, unrun: drop(earlier, 'too old') };
    const all = [...earlier, ...run];
    const kept = missed === 'once' ? all.slice(-1) : all.slice(-MOST_CATCH_UPS);
    const dropped = earlier.filter((slot) => slot < (kept[0] ?? 0));
    return { run: kept, unrun: drop(dropped, missed === 'once' ? 'superseded' : 'too many') };
}

function decideGap(
    schedule: Pick<Schedule, 'next' | 'previous'>,
    gap: Gap,
    policy: Pick<MissedRules, 'missed' | 'missedWithin'>,
): SlotDecision {
    const oldest = Math.ceil(gap.now - policy.missedWithin);
    const run = slotsToRun(schedule, gap, policy.missed, oldest);
    const until = (run[0] ?? gap.now + 1) - 1;
    const unrun = (reason: UnrunReason, from: number, to: number) => unrunSlots(schedule, reason, from, to);
    const first = gap.after + 1;
    if (policy.missed === 'skip') return { run, unrun: unrun('missed', first, until) };
    return {
        run,
        unrun: [
            ...unrun('too old', first, Math.min(oldest - 1, until)),
            ...unrun(policy.missed === 'once' ? 'superseded' : 'too many', Math.max(first, oldest), until),
        ],
    };
}

function slotsToRun(
    schedule: Pick<Schedule, 'previous'>,
    { after, now }: Gap,
    missed: MissedPolicy,
    oldest: number,
): number[] {
    const latest = schedule.previous(now + 1);
    if (latest === undefined || latest <= after) return [];
    const isLate = latest > now - LATE_SECONDS;
    if (!isLate && (missed === 'skip' || latest < oldest)) return [];
    const run = [latest];
    if (missed !== 'all') return run;
    const earliest = Math.max(after + 1, oldest);
    for (
        let slot = schedule.previous(latest);
        slot !== undefined && slot >= earliest;
        slot = schedule.previous(slot)
    ) {
        if (run.length === MOST_CATCH_UPS) break;
        run.push(slot);
    }
    return run.reverse();
}

function unrunSlots(
    schedule: Pick<Schedule, 'next' | 'previous'>,
    reason: UnrunReason,
    from: number,
    to: number,
): UnrunSlots[] {
    const first = from > to ? undefined : schedule.next(from - 1);
    if (first === undefined || first > to) return [];
    const last = schedule.previous(to + 1) ?? first;
    let count = 1;
    let slot = first;
    for (; slot < last && count < MOST_COUNTED; count++) slot = schedule.next(slot) ?? last;
    return [{ reason, count, atLeast: slot < last, first, last }];
}
