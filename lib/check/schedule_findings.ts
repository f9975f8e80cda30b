import type { JobPlan } from '../jobs/job_plan.js';
import { scheduleCall } from '../jobs/schedule_call.js';
import type { Schedule } from '../schedule/schedule.js';
import { clockChange, clockChanges } from './clock_change.js';
import { eitherDay } from './either_day.js';
import { everyDay } from './every_day.js';
import { everyMinute } from './every_minute.js';
import type { Finding } from './finding.js';
import type { Flaw } from './flaw.js';
import { shortMonth } from './short_month.js';
import { unevenStep } from './uneven_step.js';

/** Which clocks count. */
export interface Clocks {
    /** IANA name of the zone that schedules without one are kept in. */
    readonly timezone: string;
    /** Unix seconds: clocks that are set within a year from then count. */
    readonly now: number;
}

const YEAR = 366 * 24 * 3600;

const TWIN = {
    rule: 'same-schedule',
    message: 'it is there twice, with the same args, which makes one run',
    cure: 'remove one of them, or give them different args',
} as const;

/** Finds what is probably not meant with one schedule. */
export function flawsOfSchedule(schedule: Schedule, { timezone, now }: Clocks): Flaw[] {
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

/** Finds what is probably not meant with a job's schedules, each on its own and among themselves. */
export function scheduleFindings(plan: JobPlan, clocks: Clocks): Finding[] {
    const { schedules } = plan;
    const texts = schedules.map(({ text }) => text);
    const distinct = schedules.filter(({ text }, index) => texts.indexOf(text) === index);
    return [
        ...distinct.flatMap((schedule) =>
            flawsOfSchedule(schedule, clocks).map((flaw) => warning(plan, schedule, flaw)),
        ),
        ...twins(schedules).map((schedule) => warning(plan, schedule, TWIN)),
    ];
}

function twins(schedules: readonly Schedule[]): Schedule[] {
    const keys = schedules.map(({ key }) => key);
    return schedules.filter(({ key }, index) => keys.indexOf(key) < index && keys.lastIndexOf(key) === index);
}

function warning(
    { name, file }: JobPlan,
    { declaration }: Schedule,
    flaw: Pick<Finding, 'rule' | 'message' | 'cure'>,
): Finding {
    const { schedule, line } = scheduleCall(declaration, file);
    const message = `schedule ${JSON.stringify(schedule)}: ${flaw.message}`;
    return { severity: 'warning', job: name, file, line, schedule, ...flaw, message };
}
