import { filesNotImported } from '../check/folder.js';
import { Command } from '../framework.js';
import type { Bot } from '../scheduler/bot.js';
import { printJson } from '../text/json_output.js';
import { paint } from '../text/paint.js';
import { printable } from '../text/printable.js';
import { renderTable } from '../text/table.js';
import { formatSpan, formatUniqueMoment, withoutZeroSeconds } from '../time/moment.js';
import { jobsAsJson } from './as_json.js';
import { type JobOverview, nextSlotOf, nextSlotsOf, takeOverview } from './overview.js';
import {
    describeSchedule,
    describeSpread,
    type Page,
    pageOf,
    printHistoryNote,
    printWorkNote,
    renderProblems,
} from './page.js';
import { describeLast, describeState } from './standing.js';

/** More of a schedule's args, in characters, is not shown: `show-background-job` has them whole. */
const LONGEST_ARGS = 24;

/** Prints all jobs, or the paused ones, as they stand, with so many next slots of each schedule: a table with the problems below it, or JSON. */
export async function printJobs(
    bot: Bot,
    root: string,
    options: { json?: boolean; sort?: string; next?: number; paused?: boolean; timezone?: string },
): Promise<void> {
    const { json, sort, next = 1, paused: isPaused } = options;
    const overview = await takeOverview(bot);
    const notImported = await filesNotImported(root, overview.jobs);
    const page = pageOf(overview, options.timezone);
    const shown = isPaused ? overview.jobs.filter(({ pause }) => pause) : overview.jobs;
    const jobs = sort === 'next' ? byNextSlot(shown, Math.floor(page.now / 1000)) : shown;
    if (json) {
        const report = await jobsAsJson(overview, { jobs, now: page.now, next });
        return printJson({ ...report, filesNotImported: notImported ?? null });
    }
    if (jobs.length > 0) console.log(['', ...(await renderJobTable(jobs, { ...page, next })), ''].join('\n'));
    else if (isPaused) console.log('\nNo background job is paused.\n');
    else if (!notImported)
        console.log(
            `\nThere are no background jobs yet. Make one with:\n\n  npx ${Command.binaryName} generate-background-job --name my-task\n`,
        );
    const problems = renderProblems(
        jobs.flatMap((job) => job.problems),
        { ...page, root },
    );
    if (problems.length > 0) console.log(['Problems:', '', ...problems, ''].join('\n'));
    if (notImported) console.error(printable(notImported));
    printHistoryNote(overview);
    printWorkNote(overview, page);
}

function byNextSlot(jobs: readonly JobOverview[], now: number): JobOverview[] {
    // Infinity less Infinity is no number.
    return jobs.toSorted((a, b) => Math.sign(nextSlotOf(a, now) - nextSlotOf(b, now)) || 0);
}

/** Shows jobs in a table, with a row for each schedule, and so many next slots of it. */
export async function renderJobTable(
    jobs: readonly JobOverview[],
    options: Page & { readonly next: number },
): Promise<string[]> {
    const rows = await Promise.all(jobs.map((job) => rowsOf(job, options)));
    const headings = ['NAME', 'SCHEDULE', `NEXT (${options.timezone})`, 'LAST', 'STATE'];
    return renderTable(headings, rows.flat(), options.width).flat();
}

async function rowsOf(job: JobOverview, options: Page & { readonly next: number }): Promise<string[][]> {
    const { plan, name, state, status } = job;
    const second = Math.floor(options.now / 1000);
    const schedules = await Promise.all(
        (plan?.schedules ?? []).map(async (schedule) => [
            await describeSchedule(schedule, plan ? describeSpread(plan) : '', LONGEST_ARGS),
            describeNext(nextSlotsOf(job, schedule, second, options.next), options),
        ]),
    );
    const [first = [state === 'unscheduled' ? 'no schedule' : '', ''], ...others] = schedules;
    const [last, standing] = [describeLast(status, options.now), describeState(job, options)];
    return [
        [paint.bold(printable(name)), ...first, last, standing],
        ...others.map((cells) => ['', ...cells, '', '']),
    ];
}

function describeNext(slots: readonly number[], { now, timezone }: Page): string {
    return slots
        .map((slot) => {
            const moment = withoutZeroSeconds(formatUniqueMoment(slot, timezone));
            return `in ${formatSpan(slot * 1000 - now)}, ${moment}`;
        })
        .join('\n');
}
