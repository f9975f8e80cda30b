import type { Gap } from '../schedule/missed.js';
import type { Clock } from '../time/clock.js';
import { judgeWake } from './wake.js';

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
    /** Seconds went by that nobody looked at. */
    gap(gap: Gap): void;
    /** The clock was set back; by so much that the new time is `adopted`, or else nothing happens until the old time is reached again. */
    setBack(step: ClockStep): void;
}

/** Wakes at each whole second, never before it, and finds out what the clock has done in the meantime. */
export class Ticker {
    #last: number;
    #isBehind = false;
    #cancel: () => void = () => {};

    /**
     * @param clock the time
     * @param reached the last second that an earlier ticker looked at, if any
     */
    constructor(
        private readonly clock: Clock,
        reached = -Infinity,
    ) {
        // A bot that starts on the very boundary of a second still takes that second.
        this.#last = Math.max(reached, Math.ceil(clock.now() / 1000) - 1);
    }

    /** The last second that was looked at. */
    get last(): number {
        return this.#last;
    }

    /**
     * Starts to tick.
     *
     * @param listener is told what each waking finds
     */
    start(listener: TickListener): void {
        this.#look(listener);
    }

    /** Ends it. */
    stop(): void {
        this.#cancel();
    }

    #look(listener: TickListener): void {
        const now = this.clock.now();
        const second = Math.floor(now / 1000);
        // Armed again first: whatever the listener does, the next second is looked at.
        this.#arm(listener, second + 1, (second + 1) * 1000 - now);
        const wake = judgeWake(this.#last, second);
        if (wake === 'behind') this.#announceBehind(listener, second);
        if (wake === 'early' || wake === 'behind') return;
        const from = this.#last;
        this.#last = second;
        this.#isBehind = false;
        if (wake === 'tick') listener.tick(second);
        else if (wake === 'gap') listener.gap({ after: from, now: second });
        else listener.setBack({ from, to: second, adopted: true });
    }

    #arm(listener: TickListener, second: number, delay: number): void {
        const look = () => this.#look(listener);
        this.#cancel = listener.expects(second)
            ? this.clock.punctuallyAfter(delay, look)
            : this.clock.after(delay, look);
    }

    #announceBehind(listener: TickListener, second: number): void {
        if (this.#isBehind) return;
        this.#isBehind = true;
        listener.setBack({ from: this.#last, to: second, adopted: false });
    }
}
