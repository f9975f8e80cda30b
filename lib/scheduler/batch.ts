import { laneOf, type Run } from '../runs/run.js';

/** The runs of one second. */
export class Batch {
    /** In the order in which they were made. */
    readonly runs: Run[] = [];
    /** One promise for each run that was begun; it resolves when the run has ended. */
    readonly performances: Promise<void>[] = [];
    readonly #seen = new Set<string>();

    /**
     * @param manual whether somebody asked for it: manual runs claim no slot
     * @param interrupt once aborted, it aborts the runs that go on, and those to come are skipped
     */
    constructor(
        readonly manual: boolean,
        readonly interrupt?: AbortSignal,
    ) {}

    /**
     * Takes a run in.
     *
     * @param run the run
     * @returns the same run
     */
    add(run: Run): Run {
        this.runs.push(run);
        return run;
    }

    /**
     * Tells whether a run is the first of its lane and slot: two schedules with both equal make one run.
     *
     * @param run a run that is to be made
     * @returns false where there was one before
     */
    isFirst(run: Run): boolean {
        const key = `${laneOf(run)} ${run.scheduledAt}`;
        if (this.#seen.has(key)) return false;
        this.#seen.add(key);
        return true;
    }
}
