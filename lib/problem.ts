import { paint } from './paint.js';

/** Something wrong with a job that its author has to mend. */
export interface Problem {
    /** The job's name, dasherized. */
    readonly job: string;
    /** The job's file, where it has one. */
    readonly file: string | undefined;
    /** What is wrong and what to do. */
    readonly reason: string;
    /** An error keeps the job, or the schedule it speaks of, from running; a warning does not. */
    readonly severity: 'error' | 'warning';
}

/**
 * Says what is wrong, in one line.
 *
 * @param problem the problem
 * @returns its severity, coloured, the job, its file, and the reason
 */
export function describeProblem({ severity, job, file, reason }: Problem): string {
    const label = severity === 'error' ? paint.red('invalid') : paint.yellow('warning');
    return `${label} ${job}${file ? ` (${file})` : ''}: ${reason}`;
}
