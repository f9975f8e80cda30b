import { BackgroundJob } from '../jobs/background_job.js';
import { type JobPlan, planJob } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import { Timetable } from '../schedule/timetable.js';

/** The plans of all registered jobs, and their timetable: kept in step with the registry while the bot runs. */
export class Catalog {
    readonly timetable: Timetable;
    readonly #plans = new Map<string, JobPlan>();
    #revision = 0;

    /** @param after unix second: slots after it are still to come */
    constructor(
        readonly timezone: string | undefined,
        after: number,
    ) {
        this.timetable = new Timetable(after);
    }

    /** Reads the jobs that were registered or unregistered since the last call, and returns their problems. */
    refresh(): Problem[] {
        const { revision } = BackgroundJob;
        if (revision === this.#revision) return [];
        const changed = BackgroundJob.changedSince(this.#revision);
        this.#revision = revision;
        return changed.flatMap((name) => {
            const isGone = BackgroundJob.mixins[name] === undefined;
            const plan = isGone ? undefined : planJob(name, this.timezone);
            if (plan) this.#plans.set(name, plan);
            else this.#plans.delete(name);
            this.timetable.replace(name, plan?.schedules ?? []);
            return plan?.problems ?? [];
        });
    }

    /** In the order of the jobs' names. */
    get plans(): JobPlan[] {
        return [...this.#plans.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    }

    plan(name: string): JobPlan | undefined {
        return this.#plans.get(name);
    }
}
