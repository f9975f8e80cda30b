import { relative } from 'node:path';
import { describeProblem, type Problem } from '../jobs/problem.js';
import { paint } from '../text/paint.js';
import { paragraph } from '../text/paragraph.js';
import { printable } from '../text/printable.js';

/** Where problems are shown. */
export interface ProblemsOptions {
    /** How many columns there are; Infinity in a pipe. */
    readonly width: number;
    /** The app's folder: on a terminal, files are shown from there. */
    readonly root: string;
}

const INDENT = '  ';

/**
 * Shows what is wrong with jobs: a line for each in a pipe, a paragraph on a terminal.
 *
 * @param problems in this order
 * @param options where
 * @returns its lines
 */
export function renderProblems(problems: readonly Problem[], { width, root }: ProblemsOptions): string[] {
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
