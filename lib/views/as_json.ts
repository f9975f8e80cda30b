import type { Problem } from '../jobs/problem.js';
import type { PastRun, PastSkips } from '../runs/history.js';
import type { FoundRun } from '../runs/lookups.js';
import { shownOutput } from '../runs/output.js';
import { ALL_JOBS, type Pause } from '../runs/pause.js';
import { durationOf, latenessOf, type Run } from '../runs/run.js';
import { describeCrontab } from '../schedule/crontab_words.js';
import type { Schedule } from '../schedule/schedule.js';
import { isoMoment, isoSecond } from '../time/iso_time.js';
import { isWorked, type JobOverview, type Overview } from './overview.js';
import { nextSlots } from './page.js';
import { lastSlotOf } from './standing.js';

// What JSON can carry, for programs: times are ISO 8601 in UTC, lengths of time milliseconds, null is what is not there.

/** A job, with so many next slots of each schedule; `now` is in unix seconds. */
export async function jobAsJson(job: JobOverview, now: number, next: number): Promise<object> {
    const { name, file = null, plan, state, pause, status } = job;
    const { schedules = [], settings } = plan ?? {};
    return {
        name,
        file,
        description: settings?.description ?? null,
        state,
        paused: pause !== undefined,
        pause: pause ? pauseAsJson(pause) : null,
        schedules: await Promise.all(schedules.map((schedule) => scheduleAsJson(schedule, now, next))),
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
    return { outcome, count, ...span(last), runs: runs.map(runAsJson) };
}

export function runAsJson(run: Run | PastRun): object {
    const { id, scheduledAt, startedAt, outcome = null, manual, requestedBy = null, attempt, error } = run;
    return {
        ...('kind' in run && { kind: run.kind }),
        id,
        outcome,
        ...whatRan(run),
        scheduledAt: scheduledAt === undefined ? null : isoSecond(scheduledAt),
        manual,
        requestedBy,
        attempt,
        ...span(run),
        lateBy: startedAt === undefined ? null : 'lateBy' in run ? run.lateBy : latenessOf(run),
        error: typeof error === 'string' ? pastErrorAsJson(error, run as PastRun) : (error ?? null),
    };
}

/** A run that was asked for by its id, with what it has printed. */
export function foundRunAsJson({ output, ...run }: FoundRun): object {
    return { ...runAsJson(run as PastRun), output: output ? shownOutput(output) : null };
}

// What is remembered begins with the error's name: `TypeError: x is not a function`.
function pastErrorAsJson(text: string, { stack = null }: { stack?: string | undefined | null }): object {
    const [, name = 'Error', message = text] = /^([\w$]+): (.*)$/s.exec(text) ?? [];
    return { name, message, stack };
}

/** Slots that did not run: `kind` tells them from a run. */
export function skipsAsJson(skips: PastSkips): object {
    const { kind, first, last, count, atLeast } = skips;
    return { kind, ...whatRan(skips), first: isoSecond(first), last: isoSecond(last), count, atLeast };
}

function whatRan(one: Run | PastRun | PastSkips): object {
    const { job, reason = null, schedule = null, args, tenant = null } = one;
    const known = { job, reason, schedule, args, tenant };
    return 'host' in one ? { ...known, host: one.host, pid: one.pid } : known;
}

function span(run: Pick<Run, 'startedAt' | 'endedAt'>): object {
    const moment = (time: number | undefined) => (time === undefined ? null : isoMoment(time));
    const [startedAt, endedAt] = [moment(run.startedAt), moment(run.endedAt)];
    return { startedAt, endedAt, duration: durationOf(run) ?? null };
}

export function problemAsJson(problem: Problem): object {
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
