import { relative } from 'node:path';
import type { JobPlan } from '../jobs/job_plan.js';
import { describeProblem, type Problem } from '../jobs/problem.js';
import { mayHaveTenants } from '../runs/tenants.js';
import { describeCrontab } from '../schedule/crontab_words.js';
import type { Schedule } from '../schedule/schedule.js';
import { offsetIn } from '../schedule/spread.js';
import { paint } from '../text/paint.js';
import { keepTogether, paragraph } from '../text/paragraph.js';
import { printable } from '../text/printable.js';
import { outputWidth } from '../text/terminal.js';
import { formatDuration } from '../time/duration.js';
import { formatSpan, formatUniqueMoment } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { isWorked, type Overview } from './overview.js';

/** How a page is shown. */
export type Page = ReturnType<typeof pageOf>;

/** For whoever looks at standard output now; times are those of the wanted zone, else of the config's, else of the process's. */
export function pageOf({ timezone, environment }: Overview, wanted: string | undefined) {
    return {
        /** Unix milliseconds. */
        now: Date.now(),
        timezone: wanted ?? timezone ?? processTimezone(),
        /** How many columns there are; Infinity in a pipe. */
        width: outputWidth(),
        environment,
    };
}

/** How many next slots of a schedule the page of a job shows. */
export const NEXT_SLOTS = 5;

const INDENT = '  ';

/** Shows what is wrong with jobs: a line for each in a pipe, a paragraph on a terminal, with files from the app's folder on. */
export function renderProblems(
    problems: readonly Problem[],
    { width, root }: { width: number; root: string },
): string[] {
    if (width === Number.POSITIVE_INFINITY)
        return problems.map((problem) => INDENT + describeProblem(problem));
    return problems.flatMap(({ severity, job, file, line, reason }) => {
        const label = severity === 'error' ? paint.red('invalid') : paint.yellow('warning');
        const place = file && `${printable(relative(root, file))}${line === undefined ? '' : `:${line}`}`;
        const heading = [label, job && paint.bold(printable(job)), place].filter(Boolean).join('  ');
        const text = printable(reason).replaceAll(`${root}/`, '');
        return [INDENT + heading, ...paragraph(text, width, INDENT.repeat(3)).split('\n')];
    });
}

/** Prints what keeps the history of runs from being complete: trouble on standard error, the config's wish below. */
export function printHistoryNote({ isHistoryShared, historyTrouble }: Overview): void {
    const note = 'The journal is kept in memory: of runs and pauses only the process knows whose they are.\n';
    if (historyTrouble) console.error(printable(historyTrouble));
    else if (!isHistoryShared) console.log(paint.dim(note));
}

/** Prints that no process runs the jobs, where that is so. */
export function printWorkNote(
    overview: Overview,
    { now, timezone, width }: Pick<Page, 'now' | 'timezone' | 'width'>,
): void {
    const { jobs, workedUntil } = overview;
    if (jobs.length === 0 || isWorked(overview, now) !== false) return;
    const note =
        workedUntil === undefined
            ? 'No process has run the jobs yet'
            : `No process runs the jobs: the last one worked until ${formatUniqueMoment(workedUntil, timezone)}, ${formatSpan(now - workedUntil * 1000)} ago`;
    const text = `${note}. Start one with start-server, or start-bot.`;
    console.log(paint.yellow(`${paragraph(text, width)}\n`));
}

/** `'starts 2 min later'`, or `'spread over 5 min'` where each tenant has a start of its own; nothing without a `spread`. */
export function describeSpread({ name, settings }: Pick<JobPlan, 'name' | 'settings'>): string {
    const { spread } = settings;
    if (spread === 0) return '';
    if (mayHaveTenants(settings)) return `spread over ${formatDuration(spread)}`;
    return `starts ${formatDuration(offsetIn(spread, name, undefined))} later`;
}

/**
 * `'0 2 * * * (at 02:00, every day, Europe/London) ["all"]'`; of the args at most so many characters.
 *
 * @param note added to what stands in parentheses
 */
export async function describeSchedule(
    schedule: Schedule,
    note: string,
    longestArgs = Infinity,
): Promise<string> {
    const { crontab, timezone, args } = schedule;
    const meaning = await describeCrontab(crontab);
    const notes = [
        meaning === crontab ? '' : lowerFirst(meaning),
        timezone === undefined || timezone === processTimezone() ? '' : timezone,
        note,
    ].filter(Boolean);
    const given = describeArgs(args);
    return [
        keepTogether(crontab),
        notes.length > 0 ? `(${notes.join(', ')})` : '',
        given.length > longestArgs ? `${given.slice(0, longestArgs - 1)}…` : given,
    ]
        .filter(Boolean)
        .join(' ');
}

/** What a run is called with: nothing where that is nothing. */
export function describeArgs(args: readonly unknown[]): string {
    return args.length > 0 ? printable(JSON.stringify(args)) : '';
}

export function lowerFirst(words: string): string {
    return words.charAt(0).toLowerCase() + words.slice(1);
}
