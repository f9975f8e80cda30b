import { basename } from 'node:path';
import { findJobName } from '../jobs/job_name.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import type { History, JobStatus, PastRun, PastSkips } from '../runs/history.js';
import { type Pause, pauseOf } from '../runs/pause.js';
import { LATE_SECONDS } from '../schedule/missed.js';
import type { Survey } from '../scheduler/bot.js';
import { messageOf } from '../text/errors.js';

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

export interface Overview extends Pick<Survey, 'environment' | 'timezone' | 'alerts'> {
    readonly jobs: readonly JobOverview[];
    /** The last runs and skipped slots of the job that was asked for, newest first. */
    readonly past: readonly (PastRun | PastSkips)[];
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
    const { environment, timezone, alerts } = survey;
    const known = { environment, timezone, alerts };
    let history: History | undefined;
    try {
        history = await bot.history();
        const statuses = await history.statusOf(survey.plans.map(({ name }) => name));
        const jobs = overviewsOf(survey, statuses, await history.pauses());
        const past = pastOf ? await history.of(findJob(jobs, pastOf.name).name, pastOf.count) : [];
        const { isShared: isHistoryShared } = history;
        const workedUntil = await history.workedUntil();
        return { ...known, jobs, past, workedUntil, isHistoryShared, historyTrouble: undefined };
    } catch (error) {
        const jobs = overviewsOf(survey, new Map(), []);
        const historyTrouble = messageOf(error);
        return { ...known, jobs, past: [], isHistoryShared: true, historyTrouble };
    } finally {
        await history?.close();
    }
}

/** An overview of each job, and of each file that made none, in the order in which the runs of one second go. */
export function overviewsOf(
    survey: Omit<Survey, 'timezone' | 'alerts'>,
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

/** When a job runs next, in unix seconds, or would if it were not paused; Infinity where nothing is to come. */
export function nextSlotOf({ plan, state }: JobOverview, now: number): number {
    if (state === 'excluded') return Infinity;
    return Math.min(...(plan?.schedules ?? []).map((schedule) => schedule.next(now) ?? Infinity));
}

/** Finds a job by its name, in any spelling; an Error for an unknown one says what was probably meant. */
export function findJob(jobs: readonly JobOverview[], name: string): JobOverview {
    const names = jobs.map((job) => job.name);
    return jobs[names.indexOf(findJobName(name, names))] as JobOverview;
}
