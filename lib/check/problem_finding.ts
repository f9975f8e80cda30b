import type { Problem } from '../jobs/problem.js';
import type { ScheduleFault } from '../schedule/bad_schedule_error.js';
import type { Finding } from './finding.js';
import { lineOfDefaultExport, lineOfMissingImport, lineOfProperty, lineOfSchedule } from './source_line.js';
import { crontabsOf, type Survey, textOf } from './survey.js';

type KindWithoutCure = ScheduleFault | 'bad-setting' | 'misspelt-setting' | 'meta-threw' | 'import-failed';

/** What to do about the kinds of problems whose reason does not end with it. */
const CURES: Readonly<Record<KindWithoutCure, string>> = {
    'bad-crontab': `write minute, hour, day of month, month and day of week, like '30 6 * * 1-5'`,
    'never-fires': 'write a date that exists, or remove the schedule',
    'bad-timezone': `write the zone's IANA name, like 'Europe/London'`,
    'bad-args': 'pass JSON values alone: texts, numbers, true, false, null, lists and plain objects',
    'bad-setting': 'give the setting a value that it takes, or leave it out for its default',
    'misspelt-setting': 'correct the name; a helper of your own needs one less like a setting',
    'meta-threw': 'mend meta(): until then the job has no schedule in force',
    'import-failed': 'mend what keeps the file from being imported',
};

/**
 * Makes a finding of a problem that the bot itself has with a job.
 *
 * @param problem the problem
 * @param survey where it was found
 * @returns the finding, with its line and its cure
 */
export function problemFinding(problem: Problem, survey: Survey): Finding {
    const { severity, kind, job, file, declaration } = problem;
    return {
        severity,
        rule: kind,
        job,
        file,
        line: problem.line ?? lineOfProblem(problem, survey),
        schedule: declaration === undefined ? undefined : textOf(crontabsOf(job, survey)[declaration]),
        ...messageAndCure(problem),
    };
}

function lineOfProblem(problem: Problem, survey: Survey): number | undefined {
    const { kind, job, file, reason, declaration, property } = problem;
    const source = file === undefined ? undefined : survey.sources.get(file);
    if (file === undefined || source === undefined) return undefined;
    if (declaration !== undefined) return lineOfSchedule(source, crontabsOf(job, survey), declaration);
    if (property !== undefined) return lineOfProperty(source, property);
    if (kind === 'import-failed') return lineOfMissingImport(source, file, reason);
    return kind === 'no-run' || kind === 'same-name' ? lineOfDefaultExport(source) : undefined;
}

function messageAndCure({ kind, reason, cure }: Problem): { message: string; cure: string } {
    if (cure !== undefined) return { message: reason.replace(`: ${cure}`, ''), cure };
    return { message: reason, cure: CURES[kind as KindWithoutCure] };
}
