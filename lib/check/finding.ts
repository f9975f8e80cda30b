import type { ProblemKind } from '../jobs/problem.js';

/** Which rule has found something. */
export type Rule =
    | ProblemKind
    | 'every-minute'
    | 'every-day'
    | 'uneven-step'
    | 'short-month'
    | 'either-day'
    | 'clock-change'
    | 'same-schedule'
    | 'crowd'
    | 'long-spread'
    | 'past-exceptions'
    | 'no-file-importer'
    | 'foreign-file-importer'
    | 'files-not-imported'
    | 'bad-config'
    | 'open-dashboard'
    | 'timezone-unreadable';

/** What a check has found: something to mend, or to think about. */
export interface Finding {
    /** An error keeps a job, or one of its schedules, from running; a warning does not. */
    readonly severity: 'error' | 'warning';
    readonly rule: Rule;
    /** The job's name, dasherized; undefined where it is about none, or about several. */
    readonly job?: string | undefined;
    readonly file?: string | undefined;
    /** The line of the file; undefined where it cannot be told. */
    readonly line?: number | undefined;
    /** The schedule that it is about, as it was declared, with single spaces. */
    readonly schedule?: string | undefined;
    readonly message: string;
    /** What to do, in one line. */
    readonly cure: string;
}

/** Something about a schedule that works, but is probably not what its author meant: the schedule begins the sentence. */
export type Flaw = Pick<Finding, 'rule' | 'message' | 'cure'>;

/** Puts findings in order: errors first, then by file, line and job; what is about no file comes last. */
export function inOrder(findings: readonly Finding[]): Finding[] {
    return [...findings].sort(
        (a, b) =>
            compare(a.severity, b.severity) ||
            compare(a.file ?? '\uffff', b.file ?? '\uffff') ||
            compare(a.line ?? 0, b.line ?? 0) ||
            compare(a.job ?? '', b.job ?? ''),
    );
}

function compare<Value extends string | number>(a: Value, b: Value): number {
    return a < b ? -1 : Number(a > b);
}
