/** Tells the time and wakes whoever asks, so that nothing else in the bot touches the real clock. All in milliseconds. */
export interface Clock {
    /** Unix milliseconds. */
    now(): number;
    /**
     * Calls `wake` once, after `delay`. Real timers now and then fire up to a millisecond early: who counts on the time has
     * to look again.
     *
     * @returns a function that cancels it
     */
    after(delay: number, wake: () => void): () => void;
    /** The same, as punctually as the clock can: worth it where something is due then. */
    punctuallyAfter(delay: number, wake: () => void): () => void;
}

/** Waits for so many milliseconds; the first of the signals to abort ends the wait. */
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

// Node fires a timer of more than 2^31 - 1 ms at once.
const LONGEST_TIMER = 2 ** 31 - 1;

/** How late a timer of Node may well be, in milliseconds. */
const USUAL_LATENESS = 2;

/** The machine's own clock. Its timers keep the process alive. */
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
            // A clock that is set back meanwhile must not keep the loop turning.
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
