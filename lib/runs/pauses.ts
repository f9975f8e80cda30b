import { findJobName } from '../jobs/job_name.js';
import { ALL_JOBS, type Engine } from './engine.js';

/**
 * Pauses a job, or all there are and will be.
 *
 * @param engine what remembers it
 * @param name the job's name, in any spelling; undefined: all jobs
 * @param known the names of all jobs
 * @returns the job's name
 * @throws Error for an unknown name
 */
export async function pauseJob(
    engine: Engine,
    name: string | undefined,
    known: readonly string[],
): Promise<string | undefined> {
    const job = name === undefined ? undefined : findJobName(name, known);
    await engine.pause(job ?? ALL_JOBS);
    return job;
}

/**
 * Ends the pause of a job, or all pauses. Slots that came in the meantime do not run.
 *
 * @param engine what remembers it
 * @param name the job's name, in any spelling; undefined: all jobs
 * @param known the names of all jobs
 * @returns the job's name
 * @throws Error for an unknown name, and for one job where all are paused at once
 */
export async function resumeJob(
    engine: Engine,
    name: string | undefined,
    known: readonly string[],
): Promise<string | undefined> {
    const paused = await engine.pausedJobs();
    // A paused job may be gone by now.
    const job = name === undefined ? undefined : findJobName(name, [...known, ...paused]);
    if (job !== undefined && paused.includes(ALL_JOBS)) {
        throw new Error(`All background jobs are paused: "${job}" alone cannot be resumed, use --all.`);
    }
    await engine.resume(job ?? ALL_JOBS);
    return job;
}
