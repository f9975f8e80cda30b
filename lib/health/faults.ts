import type { WaitingRun } from '../runs/history.js';
import { type Pause, pauseOf } from '../runs/pause.js';
import type { Survey } from '../scheduler/bot.js';
import { formatSpan, formatUniqueMoment } from '../time/moment.js';

/** Something that somebody has to see to, in one sentence that says what to do. */
export interface Fault {
    readonly kind:
        | 'bad config'
        | 'bot not started'
        | 'store away'
        | 'no process'
        | 'invalid job'
        | 'overdue slot'
        | 'overdue run';
    /** The job that it is about; undefined: about all of them. */
    readonly job?: string;
    /** Unix milliseconds; undefined: nobody knows. */
    readonly since?: number | undefined;
    readonly message: string;
}

/** What the store knows. */
export interface Known {
    /** Up to which unix second each schedule is handled, by its key. */
    readonly handled: ReadonlyMap<string, number>;
    readonly waiting: readonly WaitingRun[];
    readonly pauses: readonly Pause[];
    /** The last unix second in which any process scheduled jobs; undefined: none ever did. */
    readonly workedUntil: number | undefined;
    /** Whether other processes are known: not where the journal is in memory. */
    readonly isShared: boolean;
}

interface Terms {
    /** Unix milliseconds. */
    readonly now: number;
    /** What is late by more than this, in milliseconds, is overdue. */
    readonly overdue: number;
}

const START = 'start one with start-server, or start-bot';

/** Compares the calendar with what has become of it. Each job has at most one overdue slot and one overdue run in it: the oldest. */
export function faultsOf(survey: Survey, known: Known, terms: Terms): Fault[] {
    const invalid = survey.problems
        .filter(({ severity }) => severity === 'error')
        .map(({ job, reason }): Fault => ({ kind: 'invalid job', job, message: `${job}: ${reason}` }));
    const isWanted = known.waiting.length > 0 || survey.plans.some(({ schedules }) => schedules.length > 0);
    const nobody = isWanted ? lackOfProcess(known, terms) : undefined;
    // Where nobody schedules, every slot becomes overdue: one line says so.
    const late = nobody ? [nobody] : overdueSlots(survey, known, terms);
    return [...late, ...overdueRuns(survey, known, terms), ...invalid];
}

function lackOfProcess({ workedUntil, isShared }: Known, { now, overdue }: Terms): Fault | undefined {
    if (!isShared) return undefined;
    if (workedUntil === undefined)
        return { kind: 'no process', message: `no process has run the jobs yet: ${START}` };
    const since = workedUntil * 1000;
    if (now - since <= overdue) return undefined;
    const message = `no process has run the jobs for ${formatSpan(now - since)}: ${START}, or look whether it hangs`;
    return { kind: 'no process', since, message };
}

function overdueSlots(survey: Survey, { handled, pauses }: Known, { now, overdue }: Terms): Fault[] {
    const oldest = new Map<string, number>();
    for (const { name, runnable, settings, schedules } of survey.plans) {
        if (!runnable || settings.environments?.includes(survey.environment) === false) continue;
        if (pauseOf(pauses, name, now)) continue;
        for (const schedule of schedules) {
            const until = handled.get(schedule.key);
            // A slot after that would not be overdue.
            if (until === undefined || now - until * 1000 <= overdue) continue;
            const slot = schedule.next(until);
            if (slot === undefined || now - slot * 1000 <= overdue) continue;
            oldest.set(name, Math.min(slot, oldest.get(name) ?? Infinity));
        }
    }
    return [...oldest].map(([job, slot]) => {
        const due = `its slot of ${formatUniqueMoment(slot, survey.timezone)} has been due for ${formatSpan(now - slot * 1000)}`;
        const cure = 'look at the log of the process that schedules';
        const message = `${job}: ${due}, and nothing has become of it: ${cure}`;
        return { kind: 'overdue slot', job, since: slot * 1000, message };
    });
}

function overdueRuns(survey: Survey, { waiting }: Known, { now, overdue }: Terms): Fault[] {
    const jobs = new Set(survey.plans.map(({ name }) => name));
    const oldest = new Map<string, number>();
    for (const { job, runAt, isReady } of waiting)
        if (isReady && jobs.has(job) && now - runAt > overdue)
            oldest.set(job, Math.min(runAt, oldest.get(job) ?? Infinity));
    return [...oldest].map(([job, since]) => {
        const cure = 'raise bot.concurrency, start another worker, or look for runs that hang';
        const message = `${job}: a run has been waiting for a worker for ${formatSpan(now - since)}: ${cure}`;
        return { kind: 'overdue run', job, since, message };
    });
}
