import { PROCESS_TIMEZONE_CURE } from '../time/process_timezone.js';
import { crowds } from './crowd.js';
import { type Finding, inOrder } from './finding.js';
import { folderFindings } from './folder_findings.js';
import { problemFinding } from './problem_finding.js';
import { scheduleFindings } from './schedule_findings.js';
import type { Survey } from './survey.js';

/**
 * Finds what is wrong with an app's background jobs, and what probably is.
 *
 * @param survey what there is
 * @returns the findings, in order
 */
export function check(survey: Survey): Finding[] {
    const { plans, problems, folder, timezoneFault } = survey;
    const files = [...plans, ...problems].flatMap(({ file }) => file ?? []);
    const schedules = plans.flatMap((plan) => plan.schedules);
    return inOrder([
        ...problems.map((problem) => problemFinding(problem, survey)),
        ...plans.flatMap((plan) => scheduleFindings(plan, survey)),
        ...crowds(schedules, survey),
        ...(folder ? folderFindings(folder, new Set(files)) : []),
        ...(timezoneFault === undefined ? [] : [timezoneFinding(timezoneFault)]),
    ]);
}

function timezoneFinding(fault: string): Finding {
    return {
        severity: 'warning',
        rule: 'timezone-unreadable',
        job: undefined,
        file: undefined,
        line: undefined,
        schedule: undefined,
        message: fault,
        cure: PROCESS_TIMEZONE_CURE,
    };
}
