import type { ScheduleFault } from '../schedule/bad_schedule_error.js';
import { paint } from '../text/paint.js';
import { printable } from '../text/printable.js';

/** Why a job file makes no job. */
export type FileFault =
    | 'empty-name'
    | 'file-ignored'
    | 'import-failed'
    | 'typescript-unsupported'
    | 'no-definition'
    | 'same-name';

export type ProblemKind =
    | FileFault
    | ScheduleFault
    | 'bad-setting'
    | 'misspelt-setting'
    | 'meta-threw'
    | 'no-run';

/** Something wrong with a job that its author has to fix. */
export interface Problem {
    /** The job's name, dasherized. */
    readonly job: string;
    readonly file: string | undefined;
    readonly reason: string;
    /** An error keeps the job, or one of its schedules, from running. */
    readonly severity: 'error' | 'warning';
    readonly kind: ProblemKind;
    /** What to do, if the reason ends with it. */
    readonly cure?: string | undefined;
    /** The line of the file, if it is known: a call may be in another file. */
    readonly line?: number | undefined;
    /** Of a bad schedule: its crontab as declared, with single spaces. */
    readonly schedule?: string | undefined;
}

/** What is wrong with a job, without the job. */
export type Fault = Omit<Problem, 'job' | 'file' | 'severity'>;

/** Says what is wrong, in one line that begins with its severity, coloured. */
export function describeProblem({ severity, job, file, reason }: Problem): string {
    const label = severity === 'error' ? paint.red('invalid') : paint.yellow('warning');
    const subject = [job && printable(job), file && `(${printable(file)})`].filter(Boolean).join(' ');
    return `${label} ${subject}: ${printable(reason)}`;
}
