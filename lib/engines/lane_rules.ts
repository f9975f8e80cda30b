import type { OverlapPolicy } from '../jobs/settings.js';

/** An unfinished row of a lane, as far as it matters to one that enters. Delayed rows that never started are none. */
export interface LaneMember {
    readonly state: 'blocked' | 'waiting' | 'delayed' | 'running';
    /** 0: it has never started. */
    readonly attempt: number;
    readonly catchesUp: boolean;
    /** Whether a schedule made it, rather than somebody who asked. */
    readonly isScheduled: boolean;
}

/** A row that is about to enter its lane. */
export interface Entrant {
    /** `slot`: it will list the tenants, and fan out. */
    readonly kind: 'run' | 'slot';
    readonly overlap: OverlapPolicy;
    readonly catchesUp: boolean;
    /**
     * - `schedule`: a schedule made it
     * - `waiter`: somebody waits for it in this process
     * - `later`: somebody asked for it, and does not wait
     */
    readonly origin: 'schedule' | 'waiter' | 'later';
}

/** What an entrant does to its lane. */
export type Entry<Member extends LaneMember = LaneMember> =
    /** It does not enter: it would overlap this one. */
    | { readonly kind: 'overlap'; readonly with: Member }
    | {
          readonly kind: 'enters';
          /** These never started, and end as superseded. */
          readonly supersedes: readonly Member[];
          /** This one is asked to end, without another attempt. */
          readonly replaces?: Member;
          /** Whether it waits for others of its lane. */
          readonly isBlocked: boolean;
          /** This one never started, and lets it go first. */
          readonly overtakes?: Member;
      };

/**
 * Decides what becomes of a row that enters its lane.
 *
 * @param entrant the row
 * @param members the others in the lane, in order
 */
export function enterLane<Member extends LaneMember>(
    entrant: Entrant,
    members: readonly Member[],
): Entry<Member> {
    const holder = members.find(hasStarted);
    const replaceable = members.filter((member) => !hasStarted(member) && isOfSchedule(member));
    const enters = (change: { supersedes?: Member[]; replaces?: Member } = {}): Entry<Member> => {
        const left = members.length - (change.supersedes?.length ?? 0);
        const isEnding = change.replaces?.state === 'delayed';
        return { kind: 'enters', supersedes: [], ...change, isBlocked: left > (isEnding ? 1 : 0) };
    };
    if (entrant.origin === 'waiter' && !holder) return overtakes(members);
    if (entrant.origin === 'waiter' && entrant.overlap !== 'replace') {
        const isTaken = entrant.overlap === 'skip' || members.some((member) => !hasStarted(member));
        return isTaken && holder ? { kind: 'overlap', with: holder } : enters();
    }
    if (entrant.catchesUp || entrant.origin === 'later') return enters();
    if (entrant.overlap === 'queue') {
        const waiting = holder ? replaceable.length : replaceable.length - 1;
        const newest = replaceable.at(-1);
        return waiting > 0 && newest ? { kind: 'overlap', with: holder ?? newest } : enters();
    }
    if (entrant.kind === 'slot' || !holder) return enters({ supersedes: replaceable });
    if (entrant.overlap === 'skip') return { kind: 'overlap', with: holder };
    const isSpared = holder.catchesUp && entrant.origin === 'schedule';
    return enters({ supersedes: replaceable, ...(!isSpared && { replaces: holder }) });
}

// A job may ask for one that waits for its turn behind it: who is waited for must not wait for a turn.
function overtakes<Member extends LaneMember>(members: readonly Member[]): Entry<Member> {
    const head = members.find(({ state }) => state === 'waiting');
    return { kind: 'enters', supersedes: [], isBlocked: false, ...(head && { overtakes: head }) };
}

function hasStarted({ state, attempt }: LaneMember): boolean {
    return state === 'running' || attempt > 0;
}

function isOfSchedule({ isScheduled, catchesUp }: LaneMember): boolean {
    return isScheduled && !catchesUp;
}
