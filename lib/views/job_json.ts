import type { Problem } from '../jobs/problem.js';
import type { PastRun, PastSkips } from '../runs/history.js';
import { describeCrontab } from '../schedule/crontab_words.js';
import type { Schedule } from '../schedule/schedule.js';
import { isoMoment, isoSecond } from '../time/iso_time.js';
import { lastSlotOf } from './last_slot.js';
import { type JobOverview, nextSlots } from './overview.js';

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
        last: lastAsJson(status?.ended),
        byHand: lastAsJson(status?.byHand),
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
        scheduledAt: scheduledAt === undefined ? null : isoSecond(scheduledAt),
        manual,
        attempt,
        ...span({ startedAt, endedAt }),
        lateBy,
        error: error === undefined ? null : errorAsJson(error, stack),
    };
}

// What is remembered begins with the error's name: `TypeError: x is not a function`.
function errorAsJson(text: string, stack: string | undefined): object {
    const [, name = 'Error', message = text] = /^([\w$]+): (.*)$/s.exec(text) ?? [];
    return { name, message, stack: stack ?? null };
}

function skipsAsJson(skips: PastSkips): object {
    const { kind, first, last, count, atLeast } = skips;
    return { kind, ...whatRan(skips), first: isoSecond(first), last: isoSecond(last), count, atLeast };
}

function whatRan({ job, reason, schedule, args, tenant, host, pid }: PastRun | PastSkips): object {
    return {
        job,
        reason: reason ?? null,
        schedule: schedule ?? null,
        args,
        tenant: tenant ?? null,
        host,
        pid,
    };
}

function span({ startedAt, endedAt }: Pick<PastRun, 'startedAt' | 'endedAt'>): object {
    const isOver = endedAt !== undefined;
    return {
        startedAt: isoMoment(startedAt),
        endedAt: isOver ? isoMoment(endedAt) : null,
        duration: isOver ? endedAt - startedAt : null,
    };
}

/**
 * What is wrong with a job, for programs.
 *
 * @param problem the problem
 * @returns an object for JSON
 */
export function problemAsJson({ severity, kind, job, file, line, reason, cure }: Problem): object {
    return {
        severity,
        rule: kind,
        job,
        file: file ?? null,
        line: line ?? null,
        message: reason,
        cure: cure ?? null,
    };
}

async function scheduleAsJson(schedule: Schedule, now: number, count: number): Promise<object> {
    const { crontab, timezone, args } = schedule;
    const [next, ...later] = nextSlots(schedule, now, count).map(isoSecond);
    return {
        crontab,
        meaning: await describeCrontab(crontab),
        timezone: timezone ?? null,
        args,
        next: next ?? null,
        later,
    };
}

function lastAsJson(ended: readonly PastRun[] = []): object | null {
    const last = lastSlotOf(ended);
    if (!last) return null;
    const { outcome, count, runs } = last;
    return { outcome, count, ...span(last), runs: runs.map(runAsJson) };
}
