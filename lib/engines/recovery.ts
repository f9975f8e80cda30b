import type { JobPlan } from '../jobs/job_plan.js';
import { createRun, type Run } from '../runs/run.js';

/**
 * Decides whether a run whose process died is run again: where its job's `retries` leave an attempt. A manual run is
 * not: whoever asked for it is gone.
 *
 * @param lost the run, at the attempt it died in
 * @param plan its job; undefined where there is none any more
 * @returns the run that takes its place, or undefined
 */
export function retryOf(lost: Run, plan: JobPlan | undefined): Run | undefined {
    if (lost.manual || !plan?.runnable || lost.attempt > plan.settings.retries) return undefined;
    return createRun({ ...lost, file: plan.file });
}
