import TinyQueue from 'tinyqueue';
import type { Schedule } from './schedule.js';

/** The schedules with one crontab and zone, which share their slots. */
interface Calendar {
    readonly key: string;
    /** The first slot after the cursor; Infinity: none. */
    next: number;
    /** In no order. */
    readonly entries: Entry[];
}

/** A schedule's place. */
interface Entry {
    readonly schedule: Schedule;
    readonly calendar: Calendar;
    /** Its index in the calendar's entries. */
    index: number;
    /** Its place among all schedules, by job name and then by position; valid while `Timetable#ranked` is set. */
    rank: number;
}

/**
 * All schedules, by their next slot. It has no clock: each second is asked for, one after another, and the next slot of
 * each calendar waits in a heap, so that a second in which nothing is due costs a glance at the top.
 */
export class Timetable {
    #cursor: number;
    readonly #jobs = new Map<string, readonly Entry[]>();
    readonly #calendars = new Map<string, Calendar>();
    #queue = queueOf([]);
    #ranked: readonly Entry[] | undefined;

    /** @param after unix second: the slots after it are still to come */
    constructor(after: number) {
        this.#cursor = after;
    }

    /**
     * Sets the schedules of one job. Only calendars that no schedule had before are computed.
     *
     * @param job the job's name
     * @param schedules all of them, in order; of several with the same key the first stays; none removes the job
     */
    replace(job: string, schedules: readonly Schedule[]): void {
        const before = this.#jobs.get(job) ?? [];
        const after = distinct(schedules).map((schedule) => this.#enter(schedule));
        for (const entry of before) leave(entry);
        if (after.length > 0) this.#jobs.set(job, after);
        else this.#jobs.delete(job);
        this.#ranked = undefined;
    }

    /**
     * Every schedule with a slot at exactly one second, by job name (in code unit order) and then by position. Asking
     * for the second after the last one asked for so moves the cursor on; any other second, past or future, leaves it
     * and is worked out anew.
     *
     * @param second unix second
     * @returns the schedules
     */
    due(second: number): Schedule[] {
        if (second !== this.#cursor + 1) return this.peek(second);
        this.#cursor = second;
        const top = this.#queue.peek();
        if (top === undefined || top.next > second) return [];
        return this.#inOrder(this.#advance());
    }

    /**
     * The same as `due`, but the cursor stays where it is, whatever is asked for.
     *
     * @param second unix second, past or future
     * @returns the schedules
     */
    peek(second: number): Schedule[] {
        return this.#inOrder(this.#dueOutOfTurn(second));
    }

    /** The earliest slot after the cursor, in unix seconds; undefined: there is none. */
    get next(): number | undefined {
        for (let top = this.#queue.peek(); top !== undefined; top = this.#queue.peek()) {
            if (top.entries.length > 0) return top.next === Number.POSITIVE_INFINITY ? undefined : top.next;
            this.#drop();
        }
        return undefined;
    }

    /**
     * The schedules with at least one slot after the cursor and up to a time, in order: those to look at after a gap.
     *
     * @param until unix second
     * @returns the schedules
     */
    passed(until: number): Schedule[] {
        return this.#inOrder([...this.#calendars.values()].filter((calendar) => calendar.next <= until));
    }

    /**
     * Moves the cursor: over a gap, or back where the clock was set back.
     *
     * @param after unix second: the slots after it are still to come
     */
    seek(after: number): void {
        const back = after < this.#cursor;
        this.#cursor = after;
        if (!back) {
            this.#advance();
            return;
        }
        for (const calendar of this.#calendars.values()) {
            if (calendar.entries.length === 0) this.#calendars.delete(calendar.key);
            else calendar.next = this.#nextOf(calendar);
        }
        this.#queue = queueOf([...this.#calendars.values()]);
    }

    /** All schedules, by job name and then by position. */
    get schedules(): Iterable<Schedule> {
        return this.#rankedEntries().map((entry) => entry.schedule);
    }

    /** Takes the calendars with a slot up to the cursor and arms them again after it. */
    #advance(): Calendar[] {
        const due: Calendar[] = [];
        for (
            let top = this.#queue.peek();
            top !== undefined && top.next <= this.#cursor;
            top = this.#queue.peek()
        ) {
            if (top.entries.length === 0) {
                this.#drop();
                continue;
            }
            this.#queue.pop();
            due.push(top);
            top.next = this.#nextOf(top);
            this.#queue.push(top);
        }
        return due;
    }

    #dueOutOfTurn(second: number): Calendar[] {
        return [...this.#calendars.values()].filter((calendar) => {
            if (second > this.#cursor && second <= calendar.next) return second === calendar.next;
            return calendar.entries[0]?.schedule.matches(second) ?? false;
        });
    }

    // Ranks in a typed array sort ten times faster than schedules by their names.
    #inOrder(calendars: readonly Calendar[]): Schedule[] {
        const ranked = this.#rankedEntries();
        const ranks = new Uint32Array(calendars.reduce((count, { entries }) => count + entries.length, 0));
        let filled = 0;
        for (const { entries } of calendars) {
            for (const { rank } of entries) ranks[filled++] = rank;
        }
        const schedules: Schedule[] = [];
        for (const rank of ranks.sort()) schedules.push((ranked[rank] as Entry).schedule);
        return schedules;
    }

    // Left until it is needed, because jobs come by the thousand when an app starts.
    #rankedEntries(): readonly Entry[] {
        if (this.#ranked === undefined) {
            const jobs = [...this.#jobs].sort(([a], [b]) => (a < b ? -1 : 1));
            this.#ranked = jobs.flatMap(([, entries]) => entries);
            for (const [rank, entry] of this.#ranked.entries()) entry.rank = rank;
        }
        return this.#ranked;
    }

    #enter(schedule: Schedule): Entry {
        const key = `${schedule.timezone ?? ''} ${schedule.crontab}`;
        let calendar = this.#calendars.get(key);
        if (calendar === undefined) {
            calendar = { key, next: schedule.next(this.#cursor) ?? Number.POSITIVE_INFINITY, entries: [] };
            this.#calendars.set(key, calendar);
            this.#queue.push(calendar);
        }
        const entry = { schedule, calendar, index: calendar.entries.length, rank: 0 };
        calendar.entries.push(entry);
        return entry;
    }

    #nextOf(calendar: Calendar): number {
        return calendar.entries[0]?.schedule.next(this.#cursor) ?? Number.POSITIVE_INFINITY;
    }

    /** Forgets the calendar at the top, which nobody has any more: a heap only lets go of its top. */
    #drop(): void {
        const calendar = this.#queue.pop();
        if (calendar !== undefined) this.#calendars.delete(calendar.key);
    }
}

function queueOf(calendars: Calendar[]): TinyQueue<Calendar> {
    return new TinyQueue(calendars, (a, b) => a.next - b.next);
}

function distinct(schedules: readonly Schedule[]): readonly Schedule[] {
    if (schedules.length < 2) return schedules;
    const keys = new Set<string>();
    return schedules.filter(({ key }) => keys.size < keys.add(key).size);
}

function leave({ calendar: { entries }, index }: Entry): void {
    const last = entries.pop();
    if (last === undefined || last.index === index) return;
    last.index = index;
    entries[index] = last;
}
