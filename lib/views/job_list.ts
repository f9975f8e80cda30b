import { Command } from '../framework.js';
import { printJson } from '../text/json_output.js';
import { paint } from '../text/paint.js';
import { printable } from '../text/printable.js';
import { renderTable } from '../text/table.js';
import { outputWidth } from '../text/terminal.js';
import { formatSpan, formatUniqueMoment, withoutZeroSeconds } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { historyAsJson, jobAsJson, problemAsJson } from './as_json.js';
import { type JobOverview, nextSlotOf, type Overview } from './overview.js';
import { printHistoryNote, printWorkNote, renderProblems } from './problems.js';
import { describeSchedule, nextSlots } from './schedules.js';
import { describeLast, describeState } from './standing.js';

/** More of a schedule's args, in characters, is not shown: `show-background-job` has them whole. */
const LONGEST_ARGS = 24;

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
    /** Why there are job files that nobody has imported, where there are. */
    readonly notImported: string | undefined;
}

/** Prints all jobs as they stand: a table, with the problems below it, or JSON. */
export async function printJobs(overview: Overview, options: JobListOptions): Promise<void> {
    const { json, sort, next, root, notImported } = options;
    const now = Date.now();
    const second = Math.floor(now / 1000);
    const jobs = sort === 'next' ? byNextSlot(overview.jobs, second) : overview.jobs;
    const problems = jobs.flatMap((job) => job.problems);
    if (json)
        return printJson({
            jobs: await Promise.all(jobs.map((job) => jobAsJson(job, second, next))),
            problems: problems.map(problemAsJson),
            filesNotImported: notImported ?? null,
            ...historyAsJson(overview, now),
        });
    const width = outputWidth();
    const { environment } = overview;
    const timezone = options.timezone ?? overview.timezone ?? processTimezone();
    const table = await renderJobTable(jobs, { next, timezone, now, environment, width });
    if (jobs.length > 0) console.log(['', ...table, ''].join('\n'));
    else if (!notImported) console.log(noJobs());
    if (problems.length > 0)
        console.log(['Problems:', '', ...renderProblems(problems, { width, root }), ''].join('\n'));
    if (notImported) console.error(printable(notImported));
    printHistoryNote(overview);
    printWorkNote(overview, now, timezone);
}

function byNextSlot(jobs: readonly JobOverview[], now: number): JobOverview[] {
    const slots = new Map(jobs.map((job) => [job, nextSlotOf(job, now)]));
    // Infinity less Infinity is no number.
    return [...jobs].sort((a, b) => Math.sign((slots.get(a) ?? 0) - (slots.get(b) ?? 0)) || 0);
}

function noJobs(): string {
    return `\nThere are no background jobs yet. Make one with:\n\n  npx ${Command.binaryName} generate-background-job --name my-task\n`;
}

/** How to show jobs in a table: at a time in unix milliseconds, and with the value of `NODE_ENV`. */
export interface JobTableOptions {
    readonly next: number;
    readonly timezone: string;
    readonly now: number;
    readonly environment: string;
    /** How many columns there are; Infinity in a pipe. */
    readonly width: number;
}

/** Shows jobs in a table, with a row for each schedule. */
export async function renderJobTable(
    jobs: readonly JobOverview[],
    options: JobTableOptions,
): Promise<string[]> {
    const rows = await Promise.all(jobs.map((job) => rowsOf(job, options)));
    const headings = ['NAME', 'SCHEDULE', `NEXT (${options.timezone})`, 'LAST', 'STATE'];
    return renderTable(headings, rows.flat(), options.width).flat();
}

async function rowsOf(job: JobOverview, options: JobTableOptions): Promise<string[][]> {
    const { plan, name, state, status } = job;
    const hasNext = state !== 'excluded' && state !== 'paused';
    const schedules = await Promise.all(
        (plan?.schedules ?? []).map(async (schedule) => [
            await describeSchedule(schedule, LONGEST_ARGS),
            hasNext
                ? describeNext(nextSlots(schedule, Math.floor(options.now / 1000), options.next), options)
                : '',
        ]),
    );
    const [first = [state === 'unscheduled' ? 'no schedule' : '', ''], ...others] = schedules;
    return [
        [
            paint.bold(printable(name)),
            ...first,
            describeLast(status, options.now),
            describeState(job, options),
        ],
        ...others.map((cells) => ['', ...cells, '', '']),
    ];
}

function describeNext(slots: readonly number[], { now, timezone }: JobTableOptions): string {
    return slots
        .map((slot) => {
            const moment = withoutZeroSeconds(formatUniqueMoment(slot, timezone));
            return `in ${formatSpan(slot * 1000 - now)}, ${moment}`;
        })
        .join('\n');
}
