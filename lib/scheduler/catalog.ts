import { BackgroundJob } from '../jobs/background_job.js';
import { type JobPlan, planJob } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import type { UnrunOfSchedule } from '../runs/engine.js';
import { catchUp, type Gap } from '../schedule/missed.js';
import type { Schedule } from '../schedule/schedule.js';
import { Timetable } from '../schedule/timetable.js';

/** A schedule that is due: at one slot, or at several that it catches up on. */
export interface Occurrence {
    readonly plan: JobPlan;
    readonly schedule: Schedule;
    /** Unix seconds, oldest first. */
    readonly slots: readonly number[];
    /** Whether some of them were missed. */
    readonly catchesUp: boolean;
}

/** The slots of a gap that are still to be run, and those that are not; in order. */
export interface Backlog {
    readonly occurrences: Occurrence[];
    readonly unrun: UnrunOfSchedule[];
}

/** The plans of all registered jobs, and their timetable: kept in step with the registry while the bot runs. */
export class Catalog {
    readonly #plans = new Map<string, JobPlan>();
    readonly #timetable: Timetable;
    #revision = 0;

    /**
     * @param timezone IANA time zone of schedules without one of their own; undefined: the process's
     * @param after unix second: slots after it are still to come
     */
    constructor(
        readonly timezone: string | undefined,
        after: number,
    ) {
        this.#timetable = new Timetable(after);
    }

    /**
     * Takes up what was registered, and lets go of what was unregistered since the last call.
     *
     * @returns the problems of the jobs that were taken up
     */
    refresh(): Problem[] {
        const { revision } = BackgroundJob;
        if (revision === this.#revision) return [];
        const changed = BackgroundJob.changedSince(this.#revision);
        this.#revision = revision;
        return changed.flatMap((name) => this.#take(name));
    }

    /** All plans, by job name. */
    get plans(): JobPlan[] {
        return [...this.#plans.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    }

    /** The plan of a job; undefined: there is none of this name. */
    plan(name: string): JobPlan | undefined {
        return this.#plans.get(name);
    }

    /** The longest `missedWithin` of all jobs, in milliseconds. */
    get longestMissedWithin(): number {
        return Math.max(0, ...[...this.#plans.values()].map(({ settings }) => settings.missedWithin));
    }

    /** The schedules in force, in order. */
    get schedules(): Schedule[] {
        return [...this.#timetable.schedules];
    }

    /** The earliest slot to come, in unix seconds; undefined: there is none. */
    get next(): number | undefined {
        return this.#timetable.next;
    }

    /** What is due at the next second, in order. The timetable goes on after it. */
    due(second: number): Occurrence[] {
        return this.#timetable.due(second).map((schedule) => this.#occurrence(schedule, [second]));
    }

    /** What is due at exactly one second, past or future, in order; the timetable stays where it is. */
    peek(second: number): Occurrence[] {
        return this.#timetable.peek(second).map((schedule) => this.#occurrence(schedule, [second]));
    }

    /**
     * Goes on after a stretch of time without ticks.
     *
     * @returns the schedules with slots in it, in order
     */
    passGap(gap: Gap): Schedule[] {
        const passed = this.#timetable.passed(gap.now);
        this.#timetable.seek(gap.now);
        return passed;
    }

    /**
     * Decides on the slots that nobody has decided on.
     *
     * @param schedules which to look at, in order
     * @param handledUntil by a schedule's key, the unix second up to which all is decided
     * @param gap older slots are not looked at
     */
    backlog(
        schedules: readonly Schedule[],
        handledUntil: ReadonlyMap<string, number>,
        { after, now }: Gap,
    ): Backlog {
        const backlog: Backlog = { occurrences: [], unrun: [] };
        for (const schedule of schedules) {
            const from = Math.max(after, handledUntil.get(schedule.key) ?? after);
            if (from >= now) continue;
            const { missed, missedWithin } = this.#planOf(schedule).settings;
            const policy = { missed, missedWithin: missedWithin / 1000 };
            const { run, unrun } = catchUp(schedule, { after: from, now }, policy);
            if (run.length > 0) backlog.occurrences.push(this.#occurrence(schedule, run, true));
            backlog.unrun.push(...unrun.map((slots) => ({ ...slots, schedule })));
        }
        return backlog;
    }

    /** Starts over: slots after the given second are to come, whatever was asked for before. */
    seek(after: number): void {
        this.#timetable.seek(after);
    }

    #take(name: string): readonly Problem[] {
        if (BackgroundJob.mixins[name] === undefined) {
            this.#plans.delete(name);
            this.#timetable.replace(name, []);
            return [];
        }
        const plan = planJob(name, this.timezone);
        this.#plans.set(name, plan);
        this.#timetable.replace(name, plan.schedules);
        return plan.problems;
    }

    #occurrence(schedule: Schedule, slots: readonly number[], catchesUp = false): Occurrence {
        return { plan: this.#planOf(schedule), schedule, slots, catchesUp };
    }

    #planOf(schedule: Schedule): JobPlan {
        return this.#plans.get(schedule.job) as JobPlan;
    }
}
