import type { ProblemKind } from '../jobs/problem.js';
import type { FlawRule } from './flaw.js';

/** Which rule has found something. */
export type Rule =
    | ProblemKind
    | FlawRule
    | 'same-schedule'
    | 'crowd'
    | FolderRule
    | 'bad-config'
    | 'open-dashboard'
    | 'timezone-unreadable';

/** The rules about the folder of the job files, rather than about one of them. */
export type FolderRule = 'no-file-importer' | 'foreign-file-importer' | 'files-not-imported';

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

/** Puts findings in order: errors first, then by file, line and job. */
export function inOrder(findings: readonly Finding[]): Finding[] {
    return findings
        .map((finding) => ({ finding, rank: rankOf(finding) }))
        .sort((a, b) => compare(a.rank, b.rank))
        .map(({ finding }) => finding);
}

type Rank = readonly (string | number)[];

// What is about no file comes last.
function rankOf({ severity, file = '\uffff', line = 0, job = '' }: Finding): Rank {
    return [severity, file, line, job];
}

function compare(a: Rank, b: Rank): number {
    for (const [index, value] of a.entries()) {
        const other = b[index] as typeof value;
        if (value !== other) return value < other ? -1 : 1;
    }
    return 0;
}
