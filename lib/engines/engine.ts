import type { Run } from '../run.js';

/** Where runs are claimed and remembered. Every engine keeps the same promises; one suite of tests holds them all to it. */
export interface Engine {
    /** Its name in the log, with what it remembers: `'embedded, in memory'`. */
    readonly description: string;
    /**
     * Asks for the right to run a slot, given once to a lane and slot, when the run starts. A manual run needs none.
     *
     * @param run a run with a slot, about to start
     * @returns whether the run may start
     */
    claim(run: Run): boolean | Promise<boolean>;
    /**
     * Voids claims of slots that are to come again, because the clock was set back.
     *
     * @param second unix seconds: claims of later slots are void
     */
    voidClaimsAfter(second: number): void | Promise<void>;
    /**
     * Remembers how a run ended.
     *
     * @param run a run with its outcome
     */
    finished(run: Run): void | Promise<void>;
}
