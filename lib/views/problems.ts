import { relative } from 'node:path';
import { describeProblem, type Problem } from '../jobs/problem.js';
import { paint } from '../text/paint.js';
import { paragraph } from '../text/paragraph.js';
import { printable } from '../text/printable.js';
import { formatSpan, formatUniqueMoment } from '../time/moment.js';
import { isWorked, type Overview } from './overview.js';

const INDENT = '  ';

/**
 * Shows what is wrong with jobs: a line for each in a pipe, a paragraph on a terminal.
 *
 * @param width how many columns there are; Infinity in a pipe
 * @param root the app's folder: on a terminal, files are shown from there
 */
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

/**
 * Prints that no process runs the jobs, where that is so.
 *
 * @param now unix milliseconds
 * @param timezone IANA name: on its clock times are shown
 */
export function printWorkNote(overview: Overview, now: number, timezone: string): void {
    const { jobs, workedUntil } = overview;
    if (jobs.length === 0 || isWorked(overview, now) !== false) return;
    const note =
        workedUntil === undefined
            ? 'No process has run the jobs yet'
            : `No process runs the jobs: the last one worked until ${formatUniqueMoment(workedUntil, timezone)}, ${formatSpan(now - workedUntil * 1000)} ago`;
    console.log(paint.yellow(`${note}. Start one with start-server, or start-bot.\n`));
}
