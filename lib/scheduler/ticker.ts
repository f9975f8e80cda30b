import type { Gap } from '../schedule/missed.js';
import type { Clock } from '../time/clock.js';

/** A step back of the clock by more than this many seconds is believed. */
const BELIEVED_STEP_BACK = 3600;

/** The clock was set back; unix seconds. */
export interface ClockStep {
    readonly from: number;
    readonly to: number;
    /** Whether it was set back so far that the new time is taken for the right one. */
    readonly adopted: boolean;
}

/** What the ticker finds at each second. Times are unix seconds. */
export interface TickListener {
    /** Whether a slot comes up to this second: then the ticker does its best not to be late for it. */
    expects(second: number): boolean;
    /** The next second has come. */
    tick(second: number): void;
    /** Seconds went by without a tick: the process was blocked or asleep, or the clock was set. */
    gap(gap: Gap): void;
    /** The clock was set back. Unless the new time is `adopted`, nothing happens until the old time is reached again. */
    setBack(step: ClockStep): void;
}

/** Whether the clock, which showed `last` before, was set back so far that the new time is taken for the right one. */
export function isSetBack(last: number, now: number): boolean {
    return last - now > BELIEVED_STEP_BACK;
}

/** Wakes at each whole second, never before it, and finds out what the clock has done in the meantime. */
export class Ticker {
    #last: number;
    #isBehind = false;
    #cancel: () => void = () => {};

    /** @param reached the last second that an earlier ticker reached, if any */
    constructor(
        private readonly clock: Clock,
        reached = -Infinity,
    ) {
        // A bot that starts on the very boundary of a second still takes that second.
        this.#last = Math.max(reached, Math.ceil(clock.now() / 1000) - 1);
    }

    /** The last second that was reached. */
    get last(): number {
        return this.#last;
    }

    start(listener: TickListener): void {
        this.#look(listener);
    }

    stop(): void {
        this.#cancel();
    }

    #look(listener: TickListener): void {
        const now = this.clock.now();
        const second = Math.floor(now / 1000);
        // Armed again first: whatever the listener does, the next second is looked at.
        this.#arm(listener, second + 1, (second + 1) * 1000 - now);
        const from = this.#last;
        if (second === from) return;
        const adopted = isSetBack(from, second);
        if (second < from && !adopted) {
            if (!this.#isBehind) listener.setBack({ from, to: second, adopted });
            this.#isBehind = true;
            return;
        }
        this.#last = second;
        this.#isBehind = false;
        if (adopted) listener.setBack({ from, to: second, adopted });
        else if (second === from + 1) listener.tick(second);
        else listener.gap({ after: from, now: second });
    }

    #arm(listener: TickListener, second: number, delay: number): void {
        const look = () => this.#look(listener);
        this.#cancel = listener.expects(second)
            ? this.clock.punctuallyAfter(delay, look)
            : this.clock.after(delay, look);
    }
}
