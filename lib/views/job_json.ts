import { describeCrontab } from '../crontab_words.js';
import type { JobStatus, PastRun, PastSkips } from '../history.js';
import { type JobOverview, nextSlots } from '../overview.js';
import type { Problem } from '../problem.js';
import type { Schedule } from '../schedule.js';
import { lastSlotOf } from './last_slot.js';

/** The version of all JSON that the commands print: it grows when a field changes its meaning, or goes. */
export const JSON_VERSION = 1;

/**
 * A job for programs. Times are ISO 8601 in UTC, lengths of time milliseconds; what is not there is null.
 *
 * @param job the job
 * @param now unix seconds
 * @param next how many next slots of each schedule
 * @returns a promise of an object for JSON
 */
export async function jobAsJson(job: JobOverview, now: number, next: number): Promise<object> {
    const { name, file = null, plan, state, isPaused: paused, status } = job;
    return {
        name,
        file,
        description: plan?.settings.description ?? null,
        state,
        paused,
        schedules: await Promise.all(
            (plan?.schedules ?? []).map((schedule) => scheduleAsJson(schedule, now, next)),
        ),
        running: (status?.running ?? []).map(runAsJson),
        last: lastAsJson(status),
        skipped: status?.skipped ? skipsAsJson(status.skipped) : null,
    };
}

/**
 * A run, or skipped slots, for programs: `kind` tells which.
 *
 * @param past what was
 * @returns an object for JSON
 */
export function pastAsJson(past: PastRun | PastSkips): object {
    return past.kind === 'run' ? runAsJson(past) : skipsAsJson(past);
}

function runAsJson(run: PastRun): object {
    const { outcome, scheduledAt, manual, attempt, startedAt, endedAt, lateBy, error, stack } = run;
    return {
        kind: run.kind,
        id: run.id,
        outcome,
        ...whatRan(run),
        scheduledAt: scheduledAt === undefined ? null : isoOfSecond(scheduledAt),
        manual,
        attempt,
        ...span({ startedAt, endedAt }),
        lateBy,
        error: error ?? null,
        stack: stack ?? null,
    };
}

function skipsAsJson(skips: PastSkips): object {
    const { kind, first, last, count, atLeast } = skips;
    return { kind, ...whatRan(skips), first: isoOfSecond(first), last: isoOfSecond(last), count, atLeast };
}

function whatRan({ reason, schedule, args, tenant, host, pid }: PastRun | PastSkips): object {
    return { reason: reason ?? null, schedule: schedule ?? null, args, tenant: tenant ?? null, host, pid };
}

function span({ startedAt, endedAt }: Pick<PastRun, 'startedAt' | 'endedAt'>): object {
    const isOver = endedAt !== undefined;
    return {
        startedAt: iso(startedAt),
        endedAt: isOver ? iso(endedAt) : null,
        duration: isOver ? endedAt - startedAt : null,
    };
}

/**
 * What is wrong with a job, for programs.
 *
 * @param problem the problem
 * @returns an object for JSON
 */
export function problemAsJson({ severity, kind, job, file, line, reason }: Problem): object {
    return { severity, kind, job, file: file ?? null, line: line ?? null, reason };
}

/**
 * Writes a slot for programs.
 *
 * @param second unix seconds
 * @returns ISO 8601 in UTC: `'2026-11-24T08:05:00Z'`
 */
export function isoOfSecond(second: number): string {
    return iso(second * 1000).replace('.000', '');
}

function iso(milliseconds: number): string {
    return new Date(milliseconds).toISOString();
}

async function scheduleAsJson(schedule: Schedule, now: number, count: number): Promise<object> {
    const { crontab, timezone, args } = schedule;
    const [next, ...later] = nextSlots(schedule, now, count).map(isoOfSecond);
    return {
        crontab,
        meaning: await describeCrontab(crontab),
        timezone: timezone ?? null,
        args,
        next: next ?? null,
        later,
    };
}

function lastAsJson(status: JobStatus | undefined): object | null {
    const last = lastSlotOf(status?.ended ?? []);
    if (!last) return null;
    const { outcome, count, runs } = last;
    return { outcome, count, ...span(last), runs: runs.map(runAsJson) };
}
