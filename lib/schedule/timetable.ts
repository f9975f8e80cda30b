import TinyQueue from 'tinyqueue';
import type { Schedule } from './schedule.js';

/** The schedules with one crontab and zone, which share their slots. */
interface Calendar {
    readonly key: string;
    /** The first slot after the cursor; Infinity: none. */
    next: number;
    readonly entries: Set<Entry>;
}

/** A schedule's place. */
interface Entry {
    readonly schedule: Schedule;
    readonly calendar: Calendar;
    /** Its place among all schedules, by job name and then by position; valid while `Timetable#ranked` is set. */
    rank: number;
}

/**
 * All schedules, by their next slot; times are unix seconds. It has no clock: the caller asks for each second in turn. The
 * next slot of each calendar is in a heap, so that a second in which nothing is due costs one look at its top.
 */
export class Timetable {
    readonly #jobs = new Map<string, readonly Entry[]>();
    readonly #calendars = new Map<string, Calendar>();
    #queue = queueOf([]);
    #ranked: readonly Entry[] | undefined;
    #cursor: number;

    /** @param after the slots after this second are still to come */
    constructor(after: number) {
        this.#cursor = after;
    }

    /**
     * Sets the schedules of one job. Only calendars that no other schedule has are computed.
     *
     * @param schedules all of the job's, in order; of several with the same key only the first counts; none removes the job
     */
    replace(job: string, schedules: readonly Schedule[]): void {
        const before = this.#jobs.get(job) ?? [];
        const after = distinct(schedules).map((schedule) => this.#enter(schedule));
        for (const entry of before) entry.calendar.entries.delete(entry);
        if (after.length > 0) this.#jobs.set(job, after);
        else this.#jobs.delete(job);
        this.#ranked = undefined;
    }

    /**
     * The schedules with a slot at exactly this second, by job name (in code unit order) and then by position. The second
     * after the cursor moves the cursor on; any other second is only peeked at.
     */
    due(second: number): Schedule[] {
        if (second !== this.#cursor + 1) return this.peek(second);
        this.#cursor = second;
        const due: Calendar[] = [];
        for (let top = this.#top(); top !== undefined && top.next <= second; top = this.#top()) {
            this.#queue.pop();
            due.push(top);
            top.next = nextOf(top, second);
            this.#queue.push(top);
        }
        return this.#inOrder(due);
    }

    /** As `due`, for any second, past or future; the cursor stays where it is. */
    peek(second: number): Schedule[] {
        const calendars = [...this.#calendars.values()];
        return this.#inOrder(calendars.filter((calendar) => nextOf(calendar, second - 1) === second));
    }

    /** The earliest slot after the cursor; undefined: there is none. */
    get next(): number | undefined {
        const next = this.#top()?.next;
        return next === Infinity ? undefined : next;
    }

    /** The schedules with at least one slot after the cursor and up to a second, in order. */
    passed(until: number): Schedule[] {
        return this.#inOrder([...this.#calendars.values()].filter((calendar) => calendar.next <= until));
    }

    /** Moves the cursor, over a gap or back. */
    seek(after: number): void {
        const isBack = after < this.#cursor;
        this.#cursor = after;
        for (const calendar of this.#calendars.values()) {
            if (calendar.entries.size === 0) this.#calendars.delete(calendar.key);
            else if (isBack || calendar.next <= after) calendar.next = nextOf(calendar, after);
        }
        this.#queue = queueOf([...this.#calendars.values()]);
    }

    /** All schedules, by job name and then by position. */
    get schedules(): Schedule[] {
        return this.#rankedEntries().map((entry) => entry.schedule);
    }

    /** The calendar with the earliest slot. A calendar without schedules stays in the heap until it is at the top. */
    #top(): Calendar | undefined {
        for (let top = this.#queue.peek(); top !== undefined; top = this.#queue.peek()) {
            if (top.entries.size > 0) return top;
            this.#queue.pop();
            this.#calendars.delete(top.key);
        }
        return undefined;
    }

    // Sorting ranks in a typed array is ten times faster than sorting schedules by their names.
    #inOrder(calendars: readonly Calendar[]): Schedule[] {
        if (calendars.length === 0) return [];
        const ranked = this.#rankedEntries();
        const ranks = new Uint32Array(calendars.reduce((count, { entries }) => count + entries.size, 0));
        let filled = 0;
        for (const { entries } of calendars) for (const { rank } of entries) ranks[filled++] = rank;
        return Array.from(ranks.sort(), (rank) => (ranked[rank] as Entry).schedule);
    }

    // Made when it is needed, because an app may register thousands of jobs as it starts.
    #rankedEntries(): readonly Entry[] {
        if (this.#ranked === undefined) {
            const jobs = [...this.#jobs].sort(([a], [b]) => (a < b ? -1 : 1));
            this.#ranked = jobs.flatMap(([, entries]) => entries);
            for (const [rank, entry] of this.#ranked.entries()) entry.rank = rank;
        }
        return this.#ranked;
    }

    #enter(schedule: Schedule): Entry {
        // Each job has exceptions of its own.
        const owner = schedule.except ? schedule.job : '';
        const key = `${schedule.timezone ?? ''} ${schedule.crontab} ${owner}`;
        let calendar = this.#calendars.get(key);
        if (calendar === undefined) {
            calendar = { key, next: schedule.next(this.#cursor) ?? Infinity, entries: new Set() };
            this.#calendars.set(key, calendar);
            this.#queue.push(calendar);
        }
        const entry = { schedule, calendar, rank: 0 };
        calendar.entries.add(entry);
        return entry;
    }
}

function queueOf(calendars: Calendar[]): TinyQueue<Calendar> {
    return new TinyQueue(calendars, (a, b) => a.next - b.next);
}

function nextOf({ entries: [first] }: { entries: Iterable<Entry> }, after: number): number {
    return first?.schedule.next(after) ?? Infinity;
}

function distinct(schedules: readonly Schedule[]): readonly Schedule[] {
    if (schedules.length < 2) return schedules;
    const keys = new Set<string>();
    return schedules.filter(({ key }) => keys.size < keys.add(key).size);
}
