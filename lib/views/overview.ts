import { basename } from 'node:path';
import { findJobName } from '../jobs/job_name.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import { ALL_JOBS } from '../runs/engine.js';
import type { History, JobStatus } from '../runs/history.js';
import { LATE_SECONDS } from '../schedule/missed.js';
import { messageOf } from '../text/errors.js';

/**
 * How a job stands, in one word; the first that holds:
 * - `invalid`: it, or one of its schedules, cannot run
 * - `paused`
 * - `running`
 * - `excluded`: its `environments` leave this one out
 * - `unscheduled`: it runs only when somebody asks for it
 * - `scheduled`
 */
export type JobState = 'invalid' | 'paused' | 'running' | 'excluded' | 'unscheduled' | 'scheduled';

/** A job as it stands. */
export interface JobOverview {
    readonly name: string;
    readonly file: string | undefined;
    /** undefined: its file made no class. */
    readonly plan: JobPlan | undefined;
    readonly problems: readonly Problem[];
    readonly state: JobState;
    readonly isPaused: boolean;
    /** undefined: nothing is known of its runs. */
    readonly status: JobStatus | undefined;
}

/** What a bot knows of its jobs: see `Bot#survey`. */
interface Surveyed {
    readonly plans: readonly JobPlan[];
    readonly problems: readonly Problem[];
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
    /** `bot.timezone`. */
    readonly timezone: string | undefined;
}

/** All jobs as they stand. */
export interface Overview extends Pick<Surveyed, 'environment' | 'timezone'> {
    readonly jobs: readonly JobOverview[];
    /** The last second in which any process scheduled jobs; undefined: none ever did, or none is known. */
    readonly workedUntil: number | undefined;
    /** Whether the runs of other processes are known: not where the journal is kept in memory. */
    readonly isHistoryShared: boolean;
    /** Why nothing is known of runs; undefined where it is. */
    readonly historyTrouble: string | undefined;
}

/** Puts together how all jobs stand. A history that cannot be read keeps nobody from seeing the rest. */
export async function takeOverview(survey: Surveyed, open: () => Promise<History>): Promise<Overview> {
    const names = survey.plans.map(({ name }) => name);
    const { found, trouble } = await recall(
        open,
        async (history) => ({
            statuses: await history.statusOf(names),
            paused: await history.pausedJobs(),
            isShared: history.isShared,
            workedUntil: await history.workedUntil(),
        }),
        { statuses: new Map(), paused: [], isShared: true, workedUntil: undefined },
    );
    return {
        environment: survey.environment,
        timezone: survey.timezone,
        jobs: overviewsOf(survey, found.statuses, found.paused),
        workedUntil: found.workedUntil,
        isHistoryShared: found.isShared,
        historyTrouble: trouble,
    };
}

/**
 * Reads what is remembered.
 *
 * @param otherwise what to go on with where it cannot be read
 * @returns what was found, and why it could not be read, where it could not
 */
export async function recall<T>(
    open: () => Promise<History>,
    read: (history: History) => Promise<T>,
    otherwise: T,
): Promise<{ found: T; trouble: string | undefined }> {
    let history: History | undefined;
    try {
        history = await open();
        return { found: await read(history), trouble: undefined };
    } catch (error) {
        return { found: otherwise, trouble: messageOf(error) };
    } finally {
        await history?.close();
    }
}

/** An overview of each job, and of each file that made none, in the order in which the runs of one second go. */
export function overviewsOf(
    survey: Omit<Surveyed, 'timezone'>,
    statuses: ReadonlyMap<string, JobStatus>,
    paused: readonly string[],
): JobOverview[] {
    const plans = new Map(survey.plans.map((plan) => [plan.name, plan]));
    const names = new Set([...plans.keys(), ...survey.problems.map(nameIn)]);
    return [...names].sort().map((name) => {
        const plan = plans.get(name);
        const problems = survey.problems.filter((problem) => nameIn(problem) === name);
        const isPaused = paused.includes(name) || paused.includes(ALL_JOBS);
        const job = {
            name,
            file: plan?.file ?? problems[0]?.file,
            plan,
            problems,
            isPaused,
            status: statuses.get(name),
        };
        return { ...job, state: stateOf(job, survey.environment) };
    });
}

// A file may make an empty name.
function nameIn({ job, file = '' }: Problem): string {
    return job || basename(file);
}

function stateOf(
    { plan, problems, isPaused, status }: Omit<JobOverview, 'state'>,
    environment: string,
): JobState {
    if (!plan?.runnable || problems.some(({ severity }) => severity === 'error')) return 'invalid';
    if (isPaused) return 'paused';
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
    if (state === 'excluded') return Number.POSITIVE_INFINITY;
    return Math.min(...(plan?.schedules ?? []).map((schedule) => schedule.next(now) ?? Infinity));
}

/**
 * Finds a job by its name, in any spelling.
 *
 * @throws Error for an unknown name, saying what was probably meant
 */
export function findJob(jobs: readonly JobOverview[], name: string): JobOverview {
    const wanted = findJobName(
        name,
        jobs.map((job) => job.name),
    );
    return jobs.find((job) => job.name === wanted) as JobOverview;
}
