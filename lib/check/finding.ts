export interface Finding {
    /** An error keeps a job, or one of its schedules, from running. */
    readonly severity: 'error' | 'warning';
    /** What found it; docs/commands/check-background-jobs.md lists all rules. */
    readonly rule: string;
    /** The job's name, dasherized; undefined if it is about no job, or about several. */
    readonly job?: string | undefined;
    readonly file?: string | undefined;
    /** The line of the file, if it is known. */
    readonly line?: number | undefined;
    /** The schedule that it is about, as declared, with single spaces. */
    readonly schedule?: string | undefined;
    readonly message: string;
    /** What to do, in one line. */
    readonly cure: string;
}

/** Why a schedule is probably not what its author meant; the message follows on the schedule. */
export type Flaw = Pick<Finding, 'rule' | 'message' | 'cure'>;

/** Sorts findings: errors first, then by file, line and job; those about no file come last. */
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
