import type { JobPlan } from '../jobs/job_plan.js';
import { splitTimezone } from '../schedule/crontab.js';
import type { Schedule } from '../schedule/schedule.js';
import { clockChange, clockChanges } from './clock_change.js';
import { eitherDay } from './either_day.js';
import { everyDay } from './every_day.js';
import { everyMinute } from './every_minute.js';
import type { Finding } from './finding.js';
import type { Flaw } from './flaw.js';
import { shortMonth } from './short_month.js';
import { lineOfSchedule } from './source_line.js';
import { crontabsOf, type Survey, textOf } from './survey.js';
import { unevenStep } from './uneven_step.js';

const YEAR = 366 * 24 * 3600;

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
        everyDay(crontab),
        unevenStep(crontab),
        shortMonth(crontab),
        eitherDay(crontab),
        clockChange(schedule, zone, clockChanges(zone, now, now + YEAR)),
    ].filter((flaw) => flaw !== undefined);
}

/**
 * Finds what is probably not meant with a job's schedules, each on its own and among themselves.
 *
 * @param plan the job's plan
 * @param survey where the job is
 * @returns a warning for each flaw
 */
export function scheduleFindings(plan: JobPlan, survey: Survey): Finding[] {
    return [...flawsOf(plan, survey), ...twins(plan, survey)];
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

function isText(text: unknown, { crontab, timezone }: Schedule): boolean {
    if (typeof text !== 'string') return false;
    const declared = splitTimezone(text);
    return declared.crontab === crontab && (declared.timezone ?? timezone) === timezone;
}
