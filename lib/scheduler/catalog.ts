import { BackgroundJob } from '../jobs/background_job.js';
import { type JobPlan, planJob } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import { Timetable } from '../schedule/timetable.js';

/** The plans of all registered jobs, and their timetable. Each getter brings them up to date with the registry first. */
export class Catalog {
    readonly #timetable: Timetable;
    readonly #plans = new Map<string, JobPlan>();
    #revision = 0;

    /**
     * @param after unix second: slots after it are still to come
     * @param tell called with what is wrong with a job, each time that it is registered
     */
    constructor(
        readonly timezone: string | undefined,
        after: number,
        private readonly tell: (problem: Problem) => void,
    ) {
        this.#timetable = new Timetable(after);
    }

    get timetable(): Timetable {
        this.#refresh();
        return this.#timetable;
    }

    /** In the order of the jobs' names. */
    get plans(): JobPlan[] {
        this.#refresh();
        return [...this.#plans.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    }

    plan(name: string): JobPlan | undefined {
        this.#refresh();
        return this.#plans.get(name);
    }

    #refresh(): void {
        const { revision } = BackgroundJob;
        if (revision === this.#revision) return;
        const changed = BackgroundJob.changedSince(this.#revision);
        this.#revision = revision;
        for (const name of changed) {
            const isGone = BackgroundJob.mixins[name] === undefined;
            const plan = isGone ? undefined : planJob(name, this.timezone);
            if (plan) this.#plans.set(name, plan);
            else this.#plans.delete(name);
            this.#timetable.replace(name, plan?.schedules ?? []);
            for (const problem of plan?.problems ?? []) this.tell(problem);
        }
    }
}
