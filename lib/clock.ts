/** Tells the time and wakes whoever asks, so that nothing else in the bot touches the real clock. */
export interface Clock {
    /** The time in unix milliseconds. */
    now(): number;
    /**
     * Calls `wake` once, `delay` milliseconds from now at the earliest (real timers fire up to a millisecond
     * early now and then: whoever counts on the time has to look again).
     *
     * @returns a function that cancels it
     */
    after(delay: number, wake: () => void): () => void;
}

// Node fires a timer of more than 2^31 - 1 ms at once.
const LONGEST_TIMER = 2 ** 31 - 1;

/** The machine's own clock. Its timers keep the process alive. */
export const systemClock: Clock = {
    now: () => Date.now(),
    after(delay, wake) {
        const timer = setTimeout(wake, Math.min(delay, LONGEST_TIMER));
        return () => clearTimeout(timer);
    },
};
