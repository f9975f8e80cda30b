import type { JobPlan } from '../jobs/job_plan.js';
import type { Problem, ProblemKind } from '../jobs/problem.js';
import { PROCESS_TIMEZONE_CURE } from '../time/process_timezone.js';
import { type CrowdOptions, crowds } from './crowd.js';
import { type Finding, inOrder } from './finding.js';
import { folderFindings, type JobsFolder } from './folder.js';
import { type Clocks, scheduleFindings } from './schedule_findings.js';

/** Everything that a check looks at. */
export interface Survey extends CrowdOptions, Clocks {
    readonly plans: readonly JobPlan[];
    /** Of jobs, and of files that made none. */
    readonly problems: readonly Problem[];
    /** undefined: there is none. */
    readonly folder: JobsFolder | undefined;
    /** Why another zone stands in for the process's; undefined: none does. */
    readonly timezoneFault: string | undefined;
}

/** What to do about the kinds of problems whose reason does not end with it. */
const CURES: Readonly<Partial<Record<ProblemKind, string>>> = {
    'bad-crontab': `write minute, hour, day of month, month and day of week, like '30 6 * * 1-5'`,
    'never-fires': 'write a date that exists, or remove the schedule',
    'bad-timezone': `write the zone's IANA name, like 'Europe/London'`,
    'bad-args': 'pass JSON values alone: texts, numbers, true, false, null, lists and plain objects',
    'bad-setting': 'give the setting a value that it takes, or leave it out for its default',
    'misspelt-setting': 'correct the name; a helper of your own needs one less like a setting',
    'meta-threw': 'mend meta(): until then the job has no schedule in force',
    'import-failed': 'mend what keeps the file from being imported',
};

/** Finds what is wrong with an app's background jobs, and what probably is. */
export function check(survey: Survey): Finding[] {
    const { plans, problems, folder, timezoneFault } = survey;
    const files = [...plans, ...problems].flatMap(({ file }) => file ?? []);
    const schedules = plans.flatMap((plan) => plan.schedules);
    return inOrder([
        ...problems.map(problemFinding),
        ...plans.flatMap((plan) => scheduleFindings(plan, survey)),
        ...crowds(schedules, survey),
        ...(folder ? folderFindings(folder, new Set(files)) : []),
        ...(timezoneFault === undefined ? [] : [timezoneFinding(timezoneFault)]),
    ]);
}

function problemFinding({ severity, kind, job, file, line, schedule, reason, cure }: Problem): Finding {
    return {
        severity,
        rule: kind,
        job,
        file,
        line,
        schedule,
        message: cure === undefined ? reason : reason.replace(`: ${cure}`, ''),
        cure: cure ?? CURES[kind] ?? '',
    };
}

function timezoneFinding(fault: string): Finding {
    return { severity: 'warning', rule: 'timezone-unreadable', message: fault, cure: PROCESS_TIMEZONE_CURE };
}
