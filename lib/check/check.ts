import { splitTimezone } from '../crontab.js';
import type { JobPlan } from '../job_plan.js';
import type { Problem } from '../problem.js';
import type { Schedule } from '../schedule.js';
import { type ClockChange, clockChange, clockChanges } from './clock_change.js';
import { type CrowdOptions, crowds } from './crowd.js';
import { messageAndCure } from './cures.js';
import { eitherDay } from './either_day.js';
import { everyMinute } from './every_minute.js';
import { type Finding, inOrder } from './finding.js';
import type { Flaw } from './flaw.js';
import { folderFindings } from './folder_findings.js';
import type { JobsFolder } from './jobs_folder.js';
import { shortMonth } from './short_month.js';
import { lineOfDefaultExport, lineOfMissingImport, lineOfProperty, lineOfSchedule } from './source_line.js';
import { unevenStep } from './uneven_step.js';

const YEAR = 366 * 24 * 3600;

/** Everything that a check looks at. */
export interface Survey extends CrowdOptions {
    readonly plans: readonly JobPlan[];
    /** Of jobs, and of files that made none. */
    readonly problems: readonly Problem[];
    /** What each job's `schedule()` calls were given, in order. */
    readonly declarations: ReadonlyMap<string, readonly (readonly unknown[])[]>;
    /** The texts of the job files. */
    readonly sources: ReadonlyMap<string, string>;
    /** undefined: there is none. */
    readonly folder: JobsFolder | undefined;
    /** IANA name of the zone that schedules without one are kept in. */
    readonly timezone: string;
    /** Unix seconds: clocks that are set within a year from then count. */
    readonly now: number;
}

/**
 * Finds what is wrong with an app's background jobs, and what probably is.
 *
 * @param survey what there is
 * @returns the findings, in order
 */
export function check(survey: Survey): Finding[] {
    const { plans, problems, folder } = survey;
    const files = [...plans, ...problems].flatMap(({ file }) => file ?? []);
    const schedules = plans.flatMap((plan) => plan.schedules);
    return inOrder([
        ...problems.map((problem) => findingOf(problem, survey)),
        ...plans.flatMap((plan) => [...flawsOf(plan, survey), ...twins(plan, survey)]),
        ...crowds(schedules, survey),
        ...(folder ? folderFindings(folder, new Set(files)) : []),
    ]);
}

function findingOf(problem: Problem, survey: Survey): Finding {
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

function flawsOf({ name, file, schedules }: JobPlan, survey: Survey): Finding[] {
    const distinct = new Map(schedules.map((schedule) => [schedule.text, schedule]));
    return [...distinct.values()].flatMap((schedule) =>
        flawsOfSchedule(schedule, survey).map(({ rule, message, cure }) => {
            const place = placeOf(schedule, file, survey);
            return {
                severity: 'warning' as const,
                rule,
                job: name,
                file,
                ...place,
                message: `schedule ${JSON.stringify(place.schedule)}: ${message}`,
                cure,
            };
        }),
    );
}

/**
 * Finds what is probably not meant with one schedule.
 *
 * @param schedule the schedule
 * @param survey the zone of schedules without one, and the time from which on clocks matter
 * @returns the flaws
 */
export function flawsOfSchedule(
    schedule: Schedule,
    { timezone, now }: Pick<Survey, 'timezone' | 'now'>,
): Flaw[] {
    const { crontab } = schedule;
    const zone = schedule.timezone ?? timezone;
    return [
        everyMinute(crontab),
        unevenStep(crontab),
        shortMonth(crontab),
        eitherDay(crontab),
        clockChange(schedule, zone, changesFrom(now, zone)),
    ].filter((flaw) => flaw !== undefined);
}

const changesByZone = new Map<string, ClockChange[]>();

function changesFrom(now: number, timezone: string): ClockChange[] {
    const key = `${now} ${timezone}`;
    const known = changesByZone.get(key) ?? clockChanges(timezone, now, now + YEAR);
    changesByZone.set(key, known);
    return known;
}

function twins({ name, file, schedules }: JobPlan, survey: Survey): Finding[] {
    const keys = schedules.map(({ key }) => key);
    const again = schedules.filter(
        ({ key }, index) => keys.indexOf(key) < index && keys.lastIndexOf(key) === index,
    );
    return again.map((schedule) => {
        const place = placeOf(schedule, file, survey);
        return {
            severity: 'warning',
            rule: 'same-schedule',
            job: name,
            file,
            ...place,
            message: `schedule ${JSON.stringify(place.schedule)}: it is there twice, with the same args, which makes one run`,
            cure: 'remove one of them, or give them different args',
        };
    });
}

function placeOf(
    schedule: Schedule,
    file: string | undefined,
    survey: Survey,
): Pick<Finding, 'line' | 'schedule'> {
    const crontabs = crontabsOf(schedule.job, survey);
    const index = crontabs.findIndex((text) => isText(text, schedule));
    const source = file === undefined ? undefined : survey.sources.get(file);
    return {
        line: source === undefined || index === -1 ? undefined : lineOfSchedule(source, crontabs, index),
        schedule: textOf(crontabs[index]) ?? schedule.text,
    };
}

function crontabsOf(job: string, { declarations }: Survey): unknown[] {
    return (declarations.get(job) ?? []).map(([crontab]) => crontab);
}

function isText(text: unknown, { crontab, timezone }: Schedule): boolean {
    if (typeof text !== 'string') return false;
    const declared = splitTimezone(text);
    return declared.crontab === crontab && (declared.timezone ?? timezone) === timezone;
}

function textOf(crontab: unknown): string | undefined {
    return typeof crontab === 'string' ? crontab.trim().replace(/\s+/g, ' ') : undefined;
}
