import { filesNotImported } from '../check/folder.js';
import { Command } from '../framework.js';
import { JSON_VERSION } from '../text/json_version.js';
import { outputWidth } from '../text/terminal.js';
import { displayTimezone } from './display_timezone.js';
import { historyAsJson, printHistoryNote } from './history_note.js';
import { jobAsJson, problemAsJson } from './job_json.js';
import { renderJobTable } from './job_table.js';
import { type JobOverview, nextSlotOf, type Surveyor, takeOverview } from './overview.js';
import { renderProblems } from './problems.js';

/** How to list jobs. */
export interface JobListOptions {
    readonly json: boolean;
    readonly sort: 'name' | 'next';
    /** How many next slots of each schedule. */
    readonly next: number;
    /** IANA name: on its clock times are shown; undefined: that of the config, else the process's. */
    readonly timezone: string | undefined;
    /** The app's folder. */
    readonly root: string;
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
    { json, sort, next, timezone: wanted, root }: JobListOptions,
): Promise<void> {
    const overview = await takeOverview(bot);
    const { environment } = overview;
    const timezone = displayTimezone(wanted, overview.timezone);
    const notImported = await filesNotImported(root, overview.jobs);
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
            filesNotImported: notImported ?? null,
            ...historyAsJson(overview),
        };
        return console.log(JSON.stringify(report, null, 4));
    }
    const width = outputWidth();
    const table = await renderJobTable(jobs, { now, timezone, next, environment, width });
    if (jobs.length > 0) console.log(['', ...table, ''].join('\n'));
    else if (!notImported) console.log(noJobs());
    if (problems.length > 0)
        console.log(['Problems:', '', ...renderProblems(problems, { width, root }), ''].join('\n'));
    if (notImported) console.error(notImported);
    printHistoryNote(overview);
}

function byNextSlot(jobs: readonly JobOverview[], now: number): JobOverview[] {
    const slots = new Map(jobs.map((job) => [job, nextSlotOf(job, now)]));
    // Infinity less Infinity is no number.
    return [...jobs].sort((a, b) => Math.sign((slots.get(a) ?? 0) - (slots.get(b) ?? 0)) || 0);
}

function noJobs(): string {
    return `\nThere are no background jobs yet. Make one with:\n\n  npx ${Command.binaryName} generate-background-job --name my-task\n`;
}
