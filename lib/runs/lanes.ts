import type { ActiveRun } from './active_run.js';
import type { Emit, SkipReason } from './events.js';

/** How a run's wish for its lane was answered. */
export type Admission = 'entered' | Extract<SkipReason, 'overlap' | 'superseded' | 'stopping'>;

interface Waiter {
    readonly active: ActiveRun;
    readonly admit: (admission: Admission) => void;
}

interface Lane {
    holder: ActiveRun | undefined;
    holderSince: number;
    /** How many runs were skipped behind the holder. */
    skips: number;
    /** The newest slot that has started, in unix seconds. */
    lastStarted: number;
    /** In the order of their slots. */
    readonly waiters: Waiter[];
}

/** Skips behind one run that are worth a warning: often enough to be heard, too few to fill a disk. */
const WARNED_SKIPS = [1, 10, 100];

/**
 * The lanes of this process: job + args + tenant, what may not overlap itself. A job's `overlap` decides what becomes
 * of a run whose lane is taken. Only runs that start hold a lane; those that wait for their turn do not.
 */
export class Lanes {
    readonly #lanes = new Map<string, Lane>();

    /**
     * @param emit hears of the 1st, 10th and 100th skip behind one run
     * @param now the time in unix milliseconds
     */
    constructor(
        private readonly emit: Emit,
        private readonly now: () => number,
    ) {}

    /**
     * Asks for a run's lane; a free one is taken before this returns.
     *
     * @param wait called where the run has to wait for it
     */
    async enter(active: ActiveRun, wait: () => void = () => {}): Promise<Admission> {
        const { overlap } = active.plan.settings;
        if (overlap === 'allow') return 'entered';
        const lane = this.#lane(active.lane);
        const { holder, waiters } = lane;
        if (isSuperseded(active, lane)) return 'superseded';
        if (!holder) return this.#hold(lane, active);
        // One that takes the place of a lost run has its slot already.
        const isOwed = holder.sequence === active.sequence || active.isClaimed;
        if (!isOwed && overlap === 'replace') {
            for (const waiter of waiters.splice(0)) waiter.admit('superseded');
            holder.abort('replaced');
        } else if (!isOwed && (overlap === 'skip' || waiters.length > 0)) {
            return this.#refuse(lane, holder);
        }
        wait();
        return new Promise((admit) => {
            waiters.push({ active, admit });
            waiters.sort((a, b) => slotOf(a.active) - slotOf(b.active));
        });
    }

    /** Gives a lane back; the next that waits for it enters. */
    leave(active: ActiveRun): void {
        const lane = this.#lanes.get(active.lane);
        if (lane?.holder !== active) return;
        lane.holder = undefined;
        while (!lane.holder) {
            const next = lane.waiters.shift();
            if (!next) {
                // Manual runs may have other args each time: their lanes would add up, those of schedules do not.
                if (lane.lastStarted === -Infinity) this.#lanes.delete(active.lane);
                return;
            }
            next.admit(isSuperseded(next.active, lane) ? 'superseded' : this.#hold(lane, next.active));
        }
    }

    /** The run that holds a lane now, and since when (unix milliseconds). */
    holderOf(lane: string): { active: ActiveRun; since: number } | undefined {
        const found = this.#lanes.get(lane);
        return found?.holder && { active: found.holder, since: found.holderSince };
    }

    /** Sends away every scheduled run that waits for a lane. */
    dismissWaiting(): void {
        for (const { waiters } of this.#lanes.values()) {
            for (const waiter of waiters.filter(({ active }) => !active.run.manual)) {
                waiters.splice(waiters.indexOf(waiter), 1);
                waiter.admit('stopping');
            }
        }
    }

    /** Forgets that slots after a second have started: the clock was set back, and they come again. */
    forgetAfter(second: number): void {
        for (const lane of this.#lanes.values()) lane.lastStarted = Math.min(lane.lastStarted, second);
    }

    #lane(name: string): Lane {
        const lane = this.#lanes.get(name) ?? {
            holder: undefined,
            holderSince: 0,
            skips: 0,
            lastStarted: -Infinity,
            waiters: [],
        };
        this.#lanes.set(name, lane);
        return lane;
    }

    #hold(lane: Lane, active: ActiveRun): 'entered' {
        lane.holder = active;
        lane.holderSince = this.now();
        lane.skips = 0;
        const { manual, scheduledAt } = active.run;
        if (!manual && scheduledAt !== undefined) lane.lastStarted = Math.max(lane.lastStarted, scheduledAt);
        return 'entered';
    }

    #refuse(lane: Lane, { run }: ActiveRun): 'overlap' {
        lane.skips += 1;
        const age = this.now() - lane.holderSince;
        if (WARNED_SKIPS.includes(lane.skips))
            this.emit({ type: 'lane-blocked', run, skips: lane.skips, age });
        return 'overlap';
    }
}

function slotOf({ run }: ActiveRun): number {
    return run.scheduledAt ?? Infinity;
}

// A slot whose turn came so late that a newer one of its lane has already started has lost its point.
function isSuperseded({ run, isClaimed }: ActiveRun, lane: Lane): boolean {
    return !run.manual && !isClaimed && run.scheduledAt !== undefined && run.scheduledAt <= lane.lastStarted;
}
