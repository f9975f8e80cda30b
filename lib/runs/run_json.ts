import { isoMoment, isoSecond } from '../time/moment.js';
import type { FoundRun, PastRun, PastSkips, WaitingRun } from './history.js';
import { shownOutput } from './output.js';
import { durationOf, latenessOf, type Run } from './run.js';

// A run has the same shape in all JSON of lists, pages, commands and the log; schemas/output.schema.json describes it.

/** Times are ISO 8601 in UTC, durations milliseconds; what is missing or unknown is null. */
export function runAsJson(run: Run | PastRun | FoundRun) {
    const { id, scheduledAt, startedAt, outcome = null, manual, requestedBy = null, attempt } = run;
    const { file = null, lateBy = latenessOf(run) } = run as Partial<Run & PastRun>;
    return {
        kind: 'run',
        id,
        outcome,
        ...whatRan(run),
        file,
        scheduledAt: scheduledAt === undefined ? null : isoSecond(scheduledAt),
        manual,
        requestedBy,
        attempt,
        ...spanAsJson(run),
        lateBy: startedAt === undefined ? null : lateBy,
        error: errorOf(run),
    };
}

/** A run that was asked for by its id, with what it has printed. */
export function foundRunAsJson(run: FoundRun): object {
    return { ...runAsJson(run), output: run.output ? shownOutput(run.output) : null };
}

function errorOf({ error, ...run }: Run | PastRun | FoundRun): object | null {
    if (typeof error !== 'string') return error ?? null;
    // In history the message begins with the error's name: `TypeError: x is not a function`.
    const [, name = 'Error', message = error] = /^([\w$]+): (.*)$/s.exec(error) ?? [];
    return { name, message, stack: ('stack' in run && run.stack) || null };
}

/** A run that has yet to start, or to start again. */
export function waitingAsJson(run: WaitingRun): object {
    const { id, job, tenant = null, args, key = null, requestedBy = null, attempt } = run;
    const scheduledAt = run.scheduledAt === undefined ? null : isoSecond(run.scheduledAt);
    return { id, job, args, tenant, scheduledAt, runAt: isoMoment(run.runAt), attempt, key, requestedBy };
}

/** Slots that did not run: `kind` tells them from a run. */
export function skipsAsJson(skips: PastSkips): object {
    const { kind, first, last, count, atLeast } = skips;
    return { kind, ...whatRan(skips), first: isoSecond(first), last: isoSecond(last), count, atLeast };
}

function whatRan(one: Run | PastRun | FoundRun | PastSkips) {
    const { job, reason = null, schedule = null, args, tenant = null } = one;
    const { host = null, pid = null } = one as Partial<PastRun>;
    return { job, reason, schedule, args, tenant, host, pid };
}

/** From when to when, and for how long. */
export function spanAsJson(run: Pick<Run, 'startedAt' | 'endedAt'>) {
    const moment = (time: number | undefined) => (time === undefined ? null : isoMoment(time));
    const [startedAt, endedAt] = [moment(run.startedAt), moment(run.endedAt)];
    return { startedAt, endedAt, duration: durationOf(run) ?? null };
}
