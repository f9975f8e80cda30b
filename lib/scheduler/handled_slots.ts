import type { Schedule } from '../schedule/schedule.js';

/** A schedule's slots that are being decided upon: whether each of their runs starts, or is skipped. */
export interface Settlement {
    /**
     * Waits for one more run.
     *
     * @returns what is to be called when it has started or was skipped; never, where it stays for whoever comes next
     */
    expect(): () => void;
    /** No more runs will come. */
    complete(): void;
    /** Whether it still counts: all that is open is forgotten at times, and then owed anew. */
    isCurrent(): boolean;
}

interface Entry {
    readonly until: number;
    undecided: number;
    isComplete: boolean;
}

/**
 * Finds out up to which slot each schedule is settled: all up to it are claimed or recorded. An earlier slot that still
 * waits keeps the later ones from counting, so that it is missed, and not forgotten, when the process dies.
 */
export class Settlements {
    readonly #entries = new Map<string, Entry[]>();

    /** @param settle told of each schedule that is settled further than before; unix seconds */
    constructor(private readonly settle: (schedule: Schedule, until: number) => void) {}

    /**
     * Begins with slots of a schedule.
     *
     * @param schedule which
     * @param until its last slot that is looked at, in unix seconds
     * @returns where to say what has become of them
     */
    begin(schedule: Schedule, until: number): Settlement {
        const { key } = schedule;
        const entry: Entry = { until, undecided: 0, isComplete: false };
        const entries = this.#entries.get(key) ?? [];
        entries.push(entry);
        this.#entries.set(key, entries);
        const isCurrent = () => this.#entries.get(key) === entries;
        const check = () => {
            if (isCurrent()) this.#check(schedule, entries);
        };
        return {
            isCurrent,
            expect() {
                entry.undecided += 1;
                let isDecided = false;
                return () => {
                    if (isDecided) return;
                    isDecided = true;
                    entry.undecided -= 1;
                    check();
                };
            },
            complete() {
                entry.isComplete = true;
                check();
            },
        };
    }

    /** Forgets what is open: the bot has stopped, or the clock was set back. */
    clear(): void {
        this.#entries.clear();
    }

    #check(schedule: Schedule, entries: Entry[]): void {
        let until: number | undefined;
        while (entries[0]?.isComplete && entries[0].undecided === 0) until = entries.shift()?.until;
        if (entries.length === 0) this.#entries.delete(schedule.key);
        if (until !== undefined) this.settle(schedule, until);
    }
}
