import { join } from 'node:path';
import { type Config, ConfigError, DEFAULT_CONFIG, loadConfig } from '../config/config.js';
import { Workspace } from '../framework.js';
import { BackgroundJob } from '../jobs/background_job.js';
import { brokenFileProblems, type JobPlan, planJob } from '../jobs/job_plan.js';
import type { Problem, ProblemKind } from '../jobs/problem.js';
import { noteScheduleCalls, scheduleCall } from '../jobs/schedule_call.js';
import type { Schedule } from '../schedule/schedule.js';
import { importFault } from '../text/import_fault.js';
import { formatMoment, formatSpan } from '../time/moment.js';
import { findProcessTimezone, PROCESS_TIMEZONE_CURE } from '../time/process_timezone.js';
import { clockChange } from './clock_change.js';
import { flawsOfCrontab } from './crontab_rules.js';
import { type CrowdOptions, crowds } from './crowd.js';
import { type Finding, type Flaw, inOrder } from './finding.js';
import { folderFinding } from './folder.js';
import type { Report } from './report.js';

/** Everything that a check looks at. */
export interface CheckedApp extends CrowdOptions {
    readonly plans: readonly JobPlan[];
    /** Of jobs, and of files that made none. */
    readonly problems: readonly Problem[];
    /** Unix seconds. */
    readonly now: number;
}

/** How many slots are compared to find the shortest time between two. */
const SLOTS_LOOKED_AT = 50;

const YEAR = 366 * 24 * 3600;

const TWIN: Flaw = {
    rule: 'same-schedule',
    message: 'it is declared twice with the same args, which makes one run',
    cure: 'remove one of them, or give them different args',
};

/** The cures of problems whose reason does not end with one. */
const CURES: Readonly<Partial<Record<ProblemKind, string>>> = {
    'bad-crontab': `write minute, hour, day of month, month and day of week, like '30 6 * * 1-5'`,
    'never-fires': 'write a date that exists, or remove the schedule',
    'bad-timezone': `write the zone's IANA name, like 'Europe/London'`,
    'bad-args': 'pass only JSON values: strings, numbers, true, false, null, arrays and plain objects',
    'bad-setting': 'give the setting a valid value, or leave it out for its default',
    'misspelt-setting': 'correct the name, or give your helper one that looks less like a setting',
    'meta-threw': 'fix meta(): until then the job has no schedules',
    'import-failed': 'fix what keeps the file from being imported',
};

/**
 * Checks a loaded app: its config, its jobs, their files and their folder. If the config is wrong, the defaults are used.
 *
 * @param root the app's folder
 * @param now unix seconds
 */
export async function checkApp(root: string, now: number): Promise<Report> {
    const configFile = join(root, 'pinstripe.config.js');
    const { config, findings } = await readConfig(configFile);
    noteScheduleCalls();
    const plans = BackgroundJob.names.map((name) => planJob(name, config.timezone));
    const problems = [...brokenFileProblems(), ...plans.flatMap((plan) => plan.problems)];
    const today = new Date(now * 1000);
    const firstOfMonth = new Date(today.getFullYear(), today.getMonth() + 1, 1).getTime() / 1000;
    const { name, fault } = findProcessTimezone();
    const { timezone = name, concurrency } = config;
    const found = check({ plans, problems, timezone, firstOfMonth, concurrency, now });
    const folder = await folderFinding(root, [...plans, ...problems]);
    if (folder) found.push(folder);
    if (fault !== undefined)
        found.push({
            severity: 'warning',
            rule: 'timezone-unreadable',
            message: fault,
            cure: PROCESS_TIMEZONE_CURE,
        });
    return {
        findings: [...findings, ...inOrder(found), ...(await dashboardFindings(config, configFile))],
        jobs: plans.length,
        schedules: plans.reduce((sum, { schedules }) => sum + schedules.length, 0),
    };
}

// Nobody means to give an anonymous request full access in production.
async function dashboardFindings({ dashboard }: Config, file: string): Promise<Finding[]> {
    const authorize = dashboard ? dashboard.authorize : undefined;
    if (!authorize || process.env['NODE_ENV'] !== 'production') return [];
    const level = await Workspace.run(function () {
        return authorize.call(this);
    }).catch(() => undefined);
    if (level !== 'all') return [];
    const message = "bot.dashboard.authorize answers 'all' to an anonymous request";
    const cure = "answer 'all' only to those who may run, pause and abort jobs";
    return [{ severity: 'warning', rule: 'open-dashboard', file, message, cure }];
}

async function readConfig(file: string): Promise<{ config: Config; findings: Finding[] }> {
    try {
        return { config: await loadConfig(), findings: [] };
    } catch (error) {
        const { reason, line } =
            error instanceof ConfigError && error.cause === undefined
                ? { reason: error.message }
                : await importFault((error as Error).cause ?? error, file);
        const cure = 'correct it: with a bad config the bot does not start';
        const finding = { severity: 'error', rule: 'bad-config', file, line, message: reason, cure } as const;
        return { config: DEFAULT_CONFIG, findings: [finding] };
    }
}

/** Finds what is wrong, or probably wrong, with an app's background jobs. */
export function check(app: CheckedApp): Finding[] {
    const { plans, problems } = app;
    const schedules = plans.flatMap((plan) => plan.schedules);
    return [
        ...problems.map(problemFinding),
        ...plans.flatMap((plan) => [...scheduleFindings(plan, app), ...settingFindings(plan, app)]),
        ...crowds(schedules, app),
    ];
}

function problemFinding({ kind, reason, cure, ...rest }: Problem): Finding {
    return {
        ...rest,
        rule: kind,
        message: cure === undefined ? reason : reason.replace(`: ${cure}`, ''),
        cure: cure ?? CURES[kind] ?? '',
    };
}

function scheduleFindings(plan: JobPlan, { timezone, now }: CheckedApp): Finding[] {
    const { schedules } = plan;
    const texts = schedules.map(({ text }) => text);
    const distinct = schedules.filter(({ text }, index) => texts.indexOf(text) === index);
    return [
        ...distinct.flatMap((schedule) =>
            flawsOfSchedule(schedule, timezone, now).map((flaw) => warning(plan, schedule, flaw)),
        ),
        ...twins(schedules).map((schedule) => warning(plan, schedule, TWIN)),
    ];
}

/**
 * Finds what the author of a schedule probably did not mean.
 *
 * @param timezone IANA name of the zone of a schedule without one
 * @param now unix seconds: changes of the clocks count for a year from then
 */
export function flawsOfSchedule(schedule: Schedule, timezone: string, now: number): Flaw[] {
    const change = clockChange(schedule, schedule.timezone ?? timezone, now, now + YEAR);
    return [...flawsOfCrontab(schedule.crontab), ...(change ? [change] : [])];
}

function twins(schedules: readonly Schedule[]): Schedule[] {
    const keys = schedules.map(({ key }) => key);
    return schedules.filter(({ key }, index) => keys.indexOf(key) < index && keys.lastIndexOf(key) === index);
}

function warning({ name, file }: JobPlan, { declaration }: Schedule, flaw: Flaw): Finding {
    const { schedule, line } = scheduleCall(declaration, file);
    const message = `schedule ${JSON.stringify(schedule)}: ${flaw.message}`;
    return { severity: 'warning', job: name, file, line, schedule, ...flaw, message };
}

function settingFindings(
    { name, file, settings, schedules }: JobPlan,
    { timezone, now }: CheckedApp,
): Finding[] {
    const { spread, except } = settings;
    const about = { severity: 'warning', job: name, file } as const;
    const findings: Finding[] = [];
    const spreadOut = spread > 0 ? schedules : [];
    const gaps = spreadOut.map((schedule) => ({ schedule, gap: shortestGap(schedule, now) }));
    const close = gaps.find(({ gap }) => gap < spread);
    if (close)
        findings.push({
            ...about,
            rule: 'long-spread',
            message:
                `its setting \`spread\` is longer than the ${formatSpan(close.gap)} between two slots of ` +
                `${JSON.stringify(close.schedule.crontab)}: runs of one slot start after those of the next are due`,
            cure: 'make it shorter, or the schedule less frequent',
        });
    const today = formatMoment(now, settings.timezone ?? timezone).slice(0, 10);
    if (except?.lastDay !== undefined && except.lastDay < today)
        findings.push({
            ...about,
            rule: 'past-exceptions',
            message: `all days in its setting \`except\` are past: the last was ${except.lastDay}`,
            cure: 'write future days, or remove the setting',
        });
    return findings;
}

/** In milliseconds, among the next slots. */
function shortestGap(schedule: Schedule, now: number): number {
    let shortest = Infinity;
    let before = -Infinity;
    let looks = 0;
    for (const slot of schedule.slots(now)) {
        shortest = Math.min(shortest, slot - before);
        before = slot;
        if (++looks > SLOTS_LOOKED_AT) break;
    }
    return shortest * 1000;
}
