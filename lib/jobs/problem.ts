import type { ScheduleFault } from '../schedule/bad_schedule_error.js';
import { paint } from '../text/paint.js';
import { printable } from '../text/printable.js';

/** What may keep a job file from making a job, in a word. */
export type FileFault =
    | 'empty-name'
    | 'file-ignored'
    | 'import-failed'
    | 'typescript-unsupported'
    | 'no-definition'
    | 'same-name';

/** What may be wrong with a job, in a word. */
export type ProblemKind =
    | FileFault
    | ScheduleFault
    | 'bad-setting'
    | 'misspelt-setting'
    | 'meta-threw'
    | 'no-run';

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
    readonly kind: ProblemKind;
    /** What to do, where the reason ends with it. */
    readonly cure?: string | undefined;
    /** The line of the file, where it is known. */
    readonly line?: number | undefined;
    /** Of a bad schedule: its crontab as it was declared. */
    readonly schedule?: string | undefined;
}

/** Says what is wrong, in one line that begins with its severity, coloured. */
export function describeProblem({ severity, job, file, reason }: Problem): string {
    const label = severity === 'error' ? paint.red('invalid') : paint.yellow('warning');
    const subject = [job && printable(job), file && `(${printable(file)})`].filter(Boolean).join(' ');
    return `${label} ${subject}: ${printable(reason)}`;
}
