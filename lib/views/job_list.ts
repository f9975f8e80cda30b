import { filesNotImported } from '../check/folder.js';
import { Command } from '../framework.js';
import type { Bot } from '../scheduler/bot.js';
import { printJson } from '../text/json_output.js';
import { paint } from '../text/paint.js';
import { printable } from '../text/printable.js';
import { renderTable } from '../text/table.js';
import { outputWidth } from '../text/terminal.js';
import { formatSpan, formatUniqueMoment, withoutZeroSeconds } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { jobsAsJson } from './as_json.js';
import { type JobOverview, nextSlotOf, takeOverview } from './overview.js';
import {
    describeSchedule,
    describeSpread,
    nextSlots,
    type Page,
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
    options: {
        json: boolean;
        sort: string;
        next: number;
        isPaused: boolean;
        timezone: string | undefined;
        root: string;
    },
): Promise<void> {
    const { json, sort, next, isPaused, root } = options;
    const overview = await takeOverview(bot);
    const notImported = await filesNotImported(root, overview.jobs);
    const now = Date.now();
    const second = Math.floor(now / 1000);
    const shown = isPaused ? overview.jobs.filter(({ pause }) => pause) : overview.jobs;
    const jobs = sort === 'next' ? byNextSlot(shown, second) : shown;
    const problems = jobs.flatMap((job) => job.problems);
    if (json)
        return printJson({
            ...(await jobsAsJson(overview, { jobs, now, next })),
            filesNotImported: notImported ?? null,
        });
    const width = outputWidth();
    const { environment } = overview;
    const timezone = options.timezone ?? overview.timezone ?? processTimezone();
    const table = await renderJobTable(jobs, { next, timezone, now, environment, width });
    if (jobs.length > 0) console.log(['', ...table, ''].join('\n'));
    else if (isPaused) console.log('\nNo background job is paused.\n');
    else if (!notImported)
        console.log(
            `\nThere are no background jobs yet. Make one with:\n\n  npx ${Command.binaryName} generate-background-job --name my-task\n`,
        );
    if (problems.length > 0)
        console.log(['Problems:', '', ...renderProblems(problems, { width, root }), ''].join('\n'));
    if (notImported) console.error(printable(notImported));
    printHistoryNote(overview);
    printWorkNote(overview, { now, timezone });
}

function byNextSlot(jobs: readonly JobOverview[], now: number): JobOverview[] {
    const slots = new Map(jobs.map((job) => [job, nextSlotOf(job, now)]));
    // Infinity less Infinity is no number.
    return jobs.toSorted((a, b) => Math.sign((slots.get(a) ?? 0) - (slots.get(b) ?? 0)) || 0);
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
    const { plan, name, state, status, pause } = job;
    const isOpen = state === 'paused' && pause?.until === undefined;
    const count = state === 'excluded' || isOpen ? 0 : options.next;
    const from = pause?.until === undefined ? options.now / 1000 : Math.ceil(pause.until / 1000) - 1;
    const schedules = await Promise.all(
        (plan?.schedules ?? []).map(async (schedule) => [
            await describeSchedule(schedule, plan ? describeSpread(plan) : '', LONGEST_ARGS),
            describeNext(nextSlots(schedule, Math.floor(from), count), options),
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

function describeNext(slots: readonly number[], { now, timezone }: Page): string {
    return slots
        .map((slot) => {
            const moment = withoutZeroSeconds(formatUniqueMoment(slot, timezone));
            return `in ${formatSpan(slot * 1000 - now)}, ${moment}`;
        })
        .join('\n');
}
