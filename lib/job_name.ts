import { BackgroundJob } from './background_job.js';
import { didYouMean } from './suggestion.js';

/**
 * Finds a job by its name.
 *
 * @param name in any spelling: `MyTask`, `my-task` and `my_task` name the same job
 * @param known the names of all jobs
 * @returns the job's name, dasherized
 * @throws Error where nobody has that name, with the one that was probably meant
 */
export function findJobName(name: string, known: readonly string[]): string {
    const wanted = BackgroundJob.normalizeName(name);
    if (known.includes(wanted)) return wanted;
    throw new Error(`There is no background job "${name}"${didYouMean(wanted, known)}.`);
}
