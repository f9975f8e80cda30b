import type { Problem } from '../jobs/problem.js';
import type { PastRun, PastSkips, WaitingRun } from '../runs/history.js';
import { ALL_JOBS, type Pause } from '../runs/pause.js';
import { runAsJson, skipsAsJson, spanAsJson, waitingAsJson } from '../runs/run_json.js';
import { describeCrontab } from '../schedule/crontab_words.js';
import type { Schedule } from '../schedule/schedule.js';
import { isoMoment, isoSecond } from '../time/moment.js';
import { isWorked, type JobOverview, nextSlots, type Overview } from './overview.js';
import { NEXT_SLOTS } from './page.js';
import type { SettingInForce } from './settings_in_force.js';
import { lastSlotOf } from './standing.js';

// Times are ISO 8601 in UTC, lengths of time milliseconds, null is what is not there; schemas/output.schema.json has it all.

export interface JobPage {
    readonly job: JobOverview;
    readonly settings: readonly SettingInForce[];
    /** Its last runs and skipped slots, newest first; undefined: nobody asked for them. */
    readonly past: readonly (PastRun | PastSkips)[] | undefined;
    /** What has yet to start, or to start again. */
    readonly waiting: readonly WaitingRun[];
}

/** Some of the jobs, with so many next slots of each schedule; `now` is in unix milliseconds. */
export async function jobsAsJson(
    overview: Overview,
    { jobs = overview.jobs, now, next }: { jobs?: readonly JobOverview[]; now: number; next: number },
): Promise<object> {
    return {
        jobs: await Promise.all(jobs.map((job) => jobAsJson(job, now, next))),
        problems: jobs.flatMap(({ problems }) => problems.map(problemAsJson)),
        ...historyAsJson(overview, now),
    };
}

/** Everything on one job; `now` is in unix milliseconds. */
export async function jobPageAsJson(page: JobPage, now: number): Promise<object> {
    const { job, settings, past = [], waiting } = page;
    return {
        ...(await jobAsJson(job, now, NEXT_SLOTS)),
        problems: job.problems.map(problemAsJson),
        settings: Object.fromEntries(settings.map(({ name, value, source }) => [name, { value, source }])),
        waiting: waiting.map(waitingAsJson),
        past: past.map((one) => (one.kind === 'run' ? runAsJson(one) : skipsAsJson(one))),
    };
}

async function jobAsJson(job: JobOverview, now: number, next: number): Promise<object> {
    const { name, file = null, plan, state, pause, status } = job;
    const { schedules = [], settings } = plan ?? {};
    return {
        name,
        file,
        description: settings?.description ?? null,
        state,
        paused: pause !== undefined,
        pause: pause ? pauseAsJson(pause) : null,
        schedules: await Promise.all(
            schedules.map((schedule) => scheduleAsJson(schedule, Math.floor(now / 1000), next)),
        ),
        running: (status?.running ?? []).map(runAsJson),
        last: lastAsJson(status?.ended),
        byHand: lastAsJson(status?.byHand),
        skipped: status?.skipped ? skipsAsJson(status.skipped) : null,
    };
}

function pauseAsJson({ job, pausedAt, until, reason, by }: Pause): object {
    const end = until === undefined ? null : isoMoment(until);
    const isOfAll = job === ALL_JOBS;
    return { since: isoMoment(pausedAt), until: end, reason: reason ?? null, by: by ?? null, all: isOfAll };
}

async function scheduleAsJson(schedule: Schedule, now: number, count: number): Promise<object> {
    const { crontab, timezone = null, args } = schedule;
    const [next = null, ...later] = nextSlots(schedule, now, count).map(isoSecond);
    return { crontab, meaning: await describeCrontab(crontab), timezone, args, next, later };
}

function lastAsJson(ended: readonly PastRun[] = []): object | null {
    const last = lastSlotOf(ended);
    if (!last) return null;
    const { outcome, count, runs } = last;
    return { outcome, count, ...spanAsJson(last), runs: runs.map(runAsJson) };
}

function problemAsJson(problem: Problem): object {
    const { severity, kind: rule, job, file = null, line = null, reason: message, cure = null } = problem;
    return { severity, rule, job, file, line, message, cure };
}

/** Whether what is told of runs is all there is. */
export function historyAsJson(overview: Overview, now: number): object {
    const { isHistoryShared, historyTrouble, workedUntil } = overview;
    return {
        working: isWorked(overview, now) ?? null,
        workedUntil: workedUntil === undefined ? null : isoSecond(workedUntil),
        historyShared: isHistoryShared,
        historyTrouble: historyTrouble ?? null,
    };
}
