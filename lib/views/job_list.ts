import { Command } from '../host.js';
import { type JobOverview, nextSlotOf, type Surveyor, takeOverview } from '../overview.js';
import { describeProblem } from '../problem.js';
import { outputWidth } from '../terminal.js';
import { historyAsJson, printHistoryNote } from './history_note.js';
import { JSON_VERSION, jobAsJson, problemAsJson } from './job_json.js';
import { renderJobTable } from './job_table.js';

/** How to list jobs. */
export interface JobListOptions {
    readonly json: boolean;
    readonly sort: 'name' | 'next';
    /** How many next slots of each schedule. */
    readonly next: number;
    /** IANA name: on its clock times are shown. */
    readonly timezone: string;
}

/**
 * Prints all jobs as they stand: a table, with the problems below it, or JSON. What keeps their history from being read
 * goes to standard error.
 *
 * @param bot whose jobs
 * @param options how
 * @throws ConfigError
 */
export async function printJobs(
    bot: Surveyor,
    { json, sort, next, timezone }: JobListOptions,
): Promise<void> {
    const overview = await takeOverview(bot);
    const { environment } = overview;
    const now = Date.now();
    const second = Math.floor(now / 1000);
    const jobs = sort === 'next' ? byNextSlot(overview.jobs, second) : overview.jobs;
    const problems = jobs.flatMap((job) => job.problems);
    if (json) {
        const listed = await Promise.all(jobs.map((job) => jobAsJson(job, second, next)));
        const report = {
            version: JSON_VERSION,
            jobs: listed,
            problems: problems.map(problemAsJson),
            ...historyAsJson(overview),
        };
        return console.log(JSON.stringify(report, null, 4));
    }
    if (jobs.length === 0) return console.log(NO_JOBS());
    const table = await renderJobTable(jobs, { now, timezone, next, environment, width: outputWidth() });
    console.log(['', ...table, ''].join('\n'));
    if (problems.length > 0)
        console.log(
            ['Problems:', '', ...problems.map((problem) => `  ${describeProblem(problem)}`), ''].join('\n'),
        );
    printHistoryNote(overview);
}

function byNextSlot(jobs: readonly JobOverview[], now: number): JobOverview[] {
    const slots = new Map(jobs.map((job) => [job, nextSlotOf(job, now)]));
    // Infinity less Infinity is no number.
    return [...jobs].sort((a, b) => Math.sign((slots.get(a) ?? 0) - (slots.get(b) ?? 0)) || 0);
}

const NO_JOBS = () =>
    `\nThere are no background jobs yet. Make one with:\n\n  ${Command.binaryName} generate-background-job --name my-task\n`;
