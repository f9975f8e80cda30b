import { basename } from 'node:path';
import type { JobPlan } from '../jobs/job_plan.js';
import type { Problem } from '../jobs/problem.js';
import { ALL_JOBS } from '../runs/engine.js';
import type { History, JobStatus } from '../runs/history.js';
import type { Schedule } from '../schedule/schedule.js';
import type { Bot } from '../scheduler/bot.js';
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
    /** What its class comes to; undefined where its file made none. */
    readonly plan: JobPlan | undefined;
    readonly problems: readonly Problem[];
    readonly state: JobState;
    readonly isPaused: boolean;
    /** How it has been doing; undefined: nothing is known. */
    readonly status: JobStatus | undefined;
}

/** All jobs as they stand. */
export interface Overview {
    /** By name. */
    readonly jobs: readonly JobOverview[];
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
    /** IANA time zone of schedules without one of their own; undefined: the process's. */
    readonly timezone: string | undefined;
    /** Whether what other processes ran is known, too: not where the journal is kept in memory. */
    readonly isHistoryShared: boolean;
    /** Why nothing is known of what ran; undefined where it is. */
    readonly historyTrouble: string | undefined;
}

/** Whatever tells of jobs. */
export type Surveyor = Pick<Bot, 'survey' | 'history'>;

/**
 * Finds out how all jobs stand. A history that cannot be read keeps nobody from seeing the rest.
 *
 * @param bot whose jobs
 * @returns the overview
 * @throws ConfigError
 */
export async function takeOverview(bot: Surveyor): Promise<Overview> {
    const survey = await bot.survey();
    const names = survey.plans.map(({ name }) => name);
    const { found, trouble } = await recall(
        bot,
        async (history) => ({
            statuses: await history.statusOf(names),
            paused: await history.pausedJobs(),
            isShared: history.isShared,
        }),
        { statuses: new Map(), paused: [], isShared: true },
    );
    return {
        ...survey,
        jobs: overviewsOf(survey, found.statuses, found.paused),
        isHistoryShared: found.isShared,
        historyTrouble: trouble,
    };
}

/**
 * Reads what is remembered.
 *
 * @param bot whose engine remembers it
 * @param read what to read
 * @param otherwise what to go on with where it cannot be read
 * @returns what was found, and why it is not all there is, where it is not
 */
export async function recall<T>(
    bot: Pick<Bot, 'history'>,
    read: (history: History) => Promise<T>,
    otherwise: T,
): Promise<{ found: T; trouble: string | undefined }> {
    let history: History | undefined;
    try {
        history = await bot.history();
        return { found: await read(history), trouble: undefined };
    } catch (error) {
        return { found: otherwise, trouble: messageOf(error) };
    } finally {
        await history?.close();
    }
}

/**
 * Puts together what is known of each job.
 *
 * @param survey all plans, all problems, and the environment
 * @param statuses by job name
 * @param paused the names of the paused jobs; `ALL_JOBS` among them where all are
 * @returns an overview of each job, and of each file that made none, in the order in which the runs of one second go
 */
export function overviewsOf(
    survey: { plans: readonly JobPlan[]; problems: readonly Problem[]; environment: string },
    statuses: ReadonlyMap<string, JobStatus>,
    paused: readonly string[],
): JobOverview[] {
    const plans = new Map(survey.plans.map((plan) => [plan.name, plan]));
    const names = new Set([...plans.keys(), ...survey.problems.map(nameIn)]);
    return [...names].sort().map((name) => {
        const plan = plans.get(name);
        const problems = survey.problems.filter((problem) => nameIn(problem) === name);
        const status = statuses.get(name);
        const isPaused = paused.includes(name) || paused.includes(ALL_JOBS);
        const isRunning = (status?.running.length ?? 0) > 0;
        return {
            name,
            file: plan?.file ?? problems[0]?.file,
            plan,
            problems,
            state: stateOf({ plan, problems, isPaused, isRunning, environment: survey.environment }),
            isPaused,
            status,
        };
    });
}

// A file may make an empty name.
function nameIn({ job, file = '' }: Problem): string {
    return job || basename(file);
}

function stateOf(job: {
    plan: JobPlan | undefined;
    problems: readonly Problem[];
    isPaused: boolean;
    isRunning: boolean;
    environment: string;
}): JobState {
    const { plan, problems } = job;
    if (!plan?.runnable || problems.some(({ severity }) => severity === 'error')) return 'invalid';
    if (job.isPaused) return 'paused';
    if (job.isRunning) return 'running';
    if (plan.settings.environments?.includes(job.environment) === false) return 'excluded';
    return plan.schedules.length === 0 ? 'unscheduled' : 'scheduled';
}

/**
 * Tells when a job runs next: the earliest slot of its schedules; one that is excluded has none. Of a
 * paused job it is the slot that a resumption would bring back.
 *
 * @param job the job
 * @param now unix second
 * @returns unix seconds; Infinity where nothing is to come
 */
export function nextSlotOf({ plan, state }: JobOverview, now: number): number {
    if (state === 'excluded') return Number.POSITIVE_INFINITY;
    return Math.min(...(plan?.schedules ?? []).map((schedule) => schedule.next(now) ?? Infinity));
}

/**
 * Lists a schedule's next slots.
 *
 * @param schedule which
 * @param now unix second: slots after it
 * @param count how many at most
 * @returns unix seconds, in order
 */
export function nextSlots(schedule: Schedule, now: number, count: number): number[] {
    const slots: number[] = [];
    let slot = schedule.next(now);
    while (slot !== undefined && slots.length < count) {
        slots.push(slot);
        slot = slots.length < count ? schedule.next(slot) : undefined;
    }
    return slots;
}
