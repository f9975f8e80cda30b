import type { Schedule } from '../schedule/schedule.js';

/** A schedule's slots that are being decided on: whether each of their runs starts, or is skipped. */
export interface Decision {
    /**
     * Waits for one more run.
     *
     * @returns what is to be called when it has started or was skipped; never, where it stays for whoever comes next
     */
    expect(): () => void;
    /** No more runs will come. */
    complete(): void;
    /** False once all that was open has been forgotten, and is decided anew. */
    isCurrent(): boolean;
}

interface Entry {
    readonly until: number;
    undecided: number;
}

/**
 * Finds out up to which slot each schedule is handled: all up to it are claimed or recorded. An earlier slot that still
 * waits keeps the later ones from counting, so that it is missed, and not forgotten, when the process dies.
 */
export class HandledSlots {
    readonly #entries = new Map<string, Entry[]>();

    /** @param handled told of each schedule that is handled further than before; unix seconds */
    constructor(private readonly handled: (schedule: Schedule, until: number) => void) {}

    /**
     * Begins with slots of a schedule.
     *
     * @param until its last slot that is looked at, in unix seconds
     */
    begin(schedule: Schedule, until: number): Decision {
        const { key } = schedule;
        // One more than its runs, until it is known that no more will come.
        const entry: Entry = { until, undecided: 1 };
        const entries = this.#entries.get(key) ?? [];
        entries.push(entry);
        this.#entries.set(key, entries);
        const isCurrent = () => this.#entries.get(key) === entries;
        const decide = () => {
            entry.undecided -= 1;
            if (isCurrent()) this.#check(schedule, entries);
        };
        return {
            isCurrent,
            complete: decide,
            expect() {
                entry.undecided += 1;
                let isDecided = false;
                return () => {
                    if (!isDecided) decide();
                    isDecided = true;
                };
            },
        };
    }

    /** Forgets what is open: the bot has stopped, or the clock was set back. */
    clear(): void {
        this.#entries.clear();
    }

    #check(schedule: Schedule, entries: Entry[]): void {
        let until: number | undefined;
        while (entries[0]?.undecided === 0) until = entries.shift()?.until;
        if (entries.length === 0) this.#entries.delete(schedule.key);
        if (until !== undefined) this.handled(schedule, until);
    }
}
