import { BackgroundJob } from '../jobs/background_job.js';
import { type JobPlan, planJob } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import type { Gap } from '../schedule/missed.js';
import type { Schedule } from '../schedule/schedule.js';
import { Timetable } from '../schedule/timetable.js';

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
     * Takes up what was registered, again or anew, and lets go of what was unregistered since the last call. Only
     * those jobs are looked at.
     *
     * @returns the problems of the jobs that were taken up
     */
    refresh(): Problem[] {
        const { revision } = BackgroundJob;
        if (revision === this.#revision) return [];
        const changed = BackgroundJob.changedSince(this.#revision);
        this.#revision = revision;
        return changed.flatMap((name) => this.#take(name).problems);
    }

    /** All plans, by job name. */
    get plans(): JobPlan[] {
        return [...this.#plans.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    }

    /** The plan of a job; undefined: there is none of this name. */
    plan(name: string): JobPlan | undefined {
        return this.#plans.get(name);
    }

    /** The schedules in force, in order. */
    get schedules(): Schedule[] {
        return [...this.#timetable.schedules];
    }

    /** The number of schedules in force. */
    get size(): number {
        return this.plans.reduce((sum, { schedules }) => sum + schedules.length, 0);
    }

    /** The earliest slot to come, in unix seconds; undefined: there is none. */
    get next(): number | undefined {
        return this.#timetable.next;
    }

    /**
     * The schedules that are due at the next second, in order. The timetable goes on after it.
     *
     * @param second unix second
     */
    due(second: number): Schedule[] {
        return this.#timetable.due(second);
    }

    /**
     * The schedules that are due at exactly one second, past or future, in order; the timetable stays where it is.
     *
     * @param second unix second
     */
    peek(second: number): Schedule[] {
        return this.#timetable.peek(second);
    }

    /**
     * Goes on after a stretch of time without ticks.
     *
     * @param gap the seconds nobody looked at
     * @returns the schedules with slots in it, in order
     */
    passGap(gap: Gap): Schedule[] {
        const passed = this.#timetable.passed(gap.now);
        this.#timetable.seek(gap.now);
        return passed;
    }

    /**
     * Starts over: slots after the given second are to come, whatever was asked for before.
     *
     * @param after unix second
     */
    seek(after: number): void {
        this.#timetable.seek(after);
    }

    #take(name: string): { problems: readonly Problem[] } {
        if (BackgroundJob.mixins[name] === undefined) {
            this.#plans.delete(name);
            this.#timetable.replace(name, []);
            return { problems: [] };
        }
        const plan = planJob(name, this.timezone);
        this.#plans.set(name, plan);
        this.#timetable.replace(name, plan.schedules);
        return plan;
    }
}
