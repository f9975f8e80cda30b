/** The time, and timers: nothing else in the bot uses the real clock. All in milliseconds. */
export interface Clock {
    /** Unix milliseconds. */
    now(): number;
    /**
     * Calls `wake` once, after `delay`. Real timers sometimes fire up to a millisecond early: check the time if it matters.
     *
     * @returns a function that cancels it
     */
    after(delay: number, wake: () => void): () => void;
    /** As `after`, but as punctually as the clock can: worth its cost when something is due then. */
    punctuallyAfter(delay: number, wake: () => void): () => void;
}

/** Waits so many milliseconds, or until one of the signals is aborted. */
export function sleep(clock: Clock, delay: number, ...signals: AbortSignal[]): Promise<void> {
    return new Promise((resolve) => {
        const end = () => {
            cancel();
            for (const signal of signals) signal.removeEventListener('abort', end);
            resolve();
        };
        const cancel = clock.after(delay, end);
        for (const signal of signals) signal.addEventListener('abort', end);
        if (signals.some(({ aborted }) => aborted)) end();
    });
}

// Node fires a timer of more than 2^31 - 1 ms immediately.
const LONGEST_TIMER = 2 ** 31 - 1;

/** How late Node's timers often are, in milliseconds. */
const USUAL_LATENESS = 2;

/** The machine's clock. Its timers keep the process alive. */
export const systemClock: Clock = {
    now: () => Date.now(),

    after(delay, wake) {
        const timer = setTimeout(wake, Math.min(delay, LONGEST_TIMER));
        return () => clearTimeout(timer);
    },

    // The timer is set early, and the event loop turns until the time has come.
    punctuallyAfter(delay, wake) {
        const end = Date.now() + delay;
        const deadline = performance.now() + delay + USUAL_LATENESS;
        let immediate: NodeJS.Immediate | undefined;
        const turn = () => {
            // If the clock is set back meanwhile, the loop must not go on turning.
            if (Date.now() < end && performance.now() < deadline) immediate = setImmediate(turn);
            else wake();
        };
        const cancel = this.after(delay - USUAL_LATENESS, turn);
        return () => {
            cancel();
            clearImmediate(immediate);
        };
    },
};
