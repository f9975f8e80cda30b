import { basename } from 'node:path';
import { findJobName } from '../jobs/job_name.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import type { History, JobStatus, PastRun, PastSkips, WaitingRun } from '../runs/history.js';
import { type Pause, pauseOf } from '../runs/pause.js';
import { LATE_SECONDS } from '../schedule/missed.js';
import type { Schedule } from '../schedule/schedule.js';
import type { Survey } from '../scheduler/bot.js';
import { messageOf } from '../text/errors.js';

/** Among as many runs that wait those of a job are looked for. */
const MOST_WAITING = 10_000;

/** How a job stands, in one word: the first that holds. `excluded`: its `environments` leave this one out. */
export type JobState = 'invalid' | 'paused' | 'running' | 'excluded' | 'unscheduled' | 'scheduled';

export interface JobOverview {
    readonly name: string;
    readonly file: string | undefined;
    /** undefined: its file made no class. */
    readonly plan: JobPlan | undefined;
    readonly problems: readonly Problem[];
    readonly state: JobState;
    /** The one that ends last, where there are several. */
    readonly pause: Pause | undefined;
    /** undefined: nothing is known of its runs. */
    readonly status: JobStatus | undefined;
}

export interface Overview extends Survey {
    readonly jobs: readonly JobOverview[];
    /** The last runs and skipped slots of the job that was asked for, newest first. */
    readonly past: readonly (PastRun | PastSkips)[];
    /** What of that job has yet to start, or to start again. */
    readonly waiting: readonly WaitingRun[];
    /** The last second in which any process scheduled jobs; undefined: none ever did, or none is known. */
    readonly workedUntil?: number | undefined;
    /** Whether the runs of other processes are known: not where the journal is kept in memory. */
    readonly isHistoryShared: boolean;
    /** Why nothing is known of runs; undefined where it is. */
    readonly historyTrouble: string | undefined;
}

/** How all jobs stand, with so many last runs of one. A history that cannot be read keeps nobody from seeing the rest. */
export async function takeOverview(
    bot: { survey(): Promise<Survey>; history(): Promise<History> },
    pastOf?: { readonly name: string; readonly count: number },
): Promise<Overview> {
    const survey = await bot.survey();
    let history: History | undefined;
    try {
        history = await bot.history();
        const statuses = await history.statusOf(survey.plans.map(({ name }) => name));
        const jobs = overviewsOf(survey, statuses, await history.pauses());
        const name = pastOf && findJob(jobs, pastOf.name).name;
        const waiting = name === undefined ? [] : await history.waitingRuns(MOST_WAITING);
        return {
            ...survey,
            jobs,
            past: name === undefined ? [] : await history.search(name, {}, pastOf?.count ?? 0),
            waiting: waiting.filter(({ job }) => job === name),
            workedUntil: await history.workedUntil(),
            isHistoryShared: history.isShared,
            historyTrouble: undefined,
        };
    } catch (error) {
        const jobs = overviewsOf(survey, new Map(), []);
        const known = { past: [], waiting: [], isHistoryShared: true };
        return { ...survey, ...known, jobs, historyTrouble: messageOf(error) };
    } finally {
        await history?.close();
    }
}

/** An overview of each job, and of each file that made none, in the order in which the runs of one second go. */
export function overviewsOf(
    survey: Pick<Survey, 'plans' | 'problems' | 'environment'>,
    statuses: ReadonlyMap<string, JobStatus>,
    pauses: readonly Pause[],
    now = Date.now(),
): JobOverview[] {
    const plans = new Map(survey.plans.map((plan) => [plan.name, plan]));
    const names = new Set([...plans.keys(), ...survey.problems.map(nameIn)]);
    return [...names].sort().map((name) => {
        const plan = plans.get(name);
        const problems = survey.problems.filter((problem) => nameIn(problem) === name);
        const pause = pauseOf(pauses, name, now);
        const file = plan?.file ?? problems[0]?.file;
        const job = { name, file, plan, problems, pause, status: statuses.get(name) };
        return { ...job, state: stateOf(job, survey.environment) };
    });
}

// A file may make an empty name.
function nameIn({ job, file = '' }: Problem): string {
    return job || basename(file);
}

function stateOf(
    { plan, problems, pause, status }: Omit<JobOverview, 'state'>,
    environment: string,
): JobState {
    if (!plan?.runnable || problems.some(({ severity }) => severity === 'error')) return 'invalid';
    if (pause) return 'paused';
    if (status && status.running.length > 0) return 'running';
    if (plan.settings.environments?.includes(environment) === false) return 'excluded';
    return plan.schedules.length === 0 ? 'unscheduled' : 'scheduled';
}

/**
 * Whether any process runs the jobs.
 *
 * @param now unix milliseconds
 * @returns undefined: nobody can tell
 */
export function isWorked(overview: Overview, now: number): boolean | undefined {
    if (overview.historyTrouble || !overview.isHistoryShared) return undefined;
    return now / 1000 - (overview.workedUntil ?? -Infinity) <= LATE_SECONDS;
}

/** From which unix second on a job runs: from the end of its pause on; Infinity: it does not. */
export function startOf({ state, pause }: JobOverview): number {
    if (state === 'excluded') return Infinity;
    if (!pause) return -Infinity;
    return pause.until === undefined ? Infinity : Math.ceil(pause.until / 1000);
}

/** A schedule's next slots, in order; all times are unix seconds. */
export function nextSlots(schedule: Schedule, now: number, count: number): number[] {
    const slots: number[] = [];
    while (slots.length < count) {
        const slot = schedule.next(slots.at(-1) ?? now);
        if (slot === undefined) break;
        slots.push(slot);
    }
    return slots;
}

/** The next slots of one of a job's schedules at which the job runs, in order; all times are unix seconds. */
export function nextSlotsOf(job: JobOverview, schedule: Schedule, now: number, count: number): number[] {
    const start = startOf(job);
    return start === Infinity ? [] : nextSlots(schedule, Math.max(now, start - 1), count);
}

/** Of hundreds of jobs that are looked at again and again, few have another next slot. */
const coming = new WeakMap<Schedule, number>();

/** When a job runs next, in unix seconds; Infinity where nothing is to come. */
export function nextSlotOf(job: JobOverview, now: number): number {
    const slots = (job.plan?.schedules ?? []).map((schedule) => {
        if (startOf(job) > now) return nextSlotsOf(job, schedule, now, 1)[0] ?? Infinity;
        const known = coming.get(schedule) ?? 0;
        if (known > now) return known;
        const next = schedule.next(now) ?? Infinity;
        coming.set(schedule, next);
        return next;
    });
    return Math.min(...slots);
}

/** Finds a job by its name, in any spelling; an Error for an unknown one says what was probably meant. */
export function findJob(jobs: readonly JobOverview[], name: string): JobOverview {
    const names = jobs.map((job) => job.name);
    return jobs[names.indexOf(findJobName(name, names))] as JobOverview;
}
