import { BackgroundJob } from '../jobs/background_job.js';
import { type JobPlan, planJob } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import type { UnrunOfSchedule } from '../runs/engine.js';
import { catchUp, type Gap } from '../schedule/missed.js';
import type { Schedule } from '../schedule/schedule.js';
import { Timetable } from '../schedule/timetable.js';
import type { Occurrence } from './dispatcher.js';

/** What a schedule owes after a gap, and what it no longer does. */
export interface GapFindings {
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

    /** The longest `missedWithin` of all jobs, in milliseconds. */
    get longestMissedWithin(): number {
        let longest = 0;
        for (const { settings } of this.#plans.values()) longest = Math.max(longest, settings.missedWithin);
        return longest;
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
     * What is due at the next second, in order. The timetable goes on after it.
     *
     * @param second unix second
     * @returns an occurrence for each schedule
     */
    due(second: number): Occurrence[] {
        return this.#timetable.due(second).map((schedule) => this.#occurrence(schedule, [second]));
    }

    /**
     * What is due at exactly one second, past or future, in order; the timetable stays where it is.
     *
     * @param second unix second
     * @returns an occurrence for each schedule
     */
    peek(second: number): Occurrence[] {
        return this.#timetable.peek(second).map((schedule) => this.#occurrence(schedule, [second]));
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
     * What is still to be run of the slots that nobody has decided upon.
     *
     * @param schedules which to look at, in order
     * @param settledUntil for each schedule's key, the second up to which all is settled
     * @param gap unix seconds: older slots are not looked at, whatever is settled
     * @returns what is to be run, in order, and what is not
     */
    owed(
        schedules: readonly Schedule[],
        settledUntil: ReadonlyMap<string, number>,
        { after, now }: Gap,
    ): GapFindings {
        const findings: GapFindings = { occurrences: [], unrun: [] };
        for (const schedule of schedules) {
            const from = Math.max(after, settledUntil.get(schedule.key) ?? after);
            if (from < now) this.#find(schedule, { after: from, now }, findings);
        }
        return findings;
    }

    #find(schedule: Schedule, gap: Gap, findings: GapFindings): void {
        const { missed, missedWithin } = this.#planOf(schedule).settings;
        const { run, unrun } = catchUp(schedule, gap, { missed, missedWithin: missedWithin / 1000 });
        if (run.length > 0) findings.occurrences.push(this.#occurrence(schedule, run, true));
        findings.unrun.push(...unrun.map((slots) => ({ ...slots, schedule })));
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

    #occurrence(schedule: Schedule, slots: readonly number[], catchesUp = false): Occurrence {
        return { plan: this.#planOf(schedule), schedule, slots, catchesUp };
    }

    #planOf(schedule: Schedule): JobPlan {
        return this.#plans.get(schedule.job) as JobPlan;
    }
}
