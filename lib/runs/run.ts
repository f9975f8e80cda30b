import { randomUUID } from 'node:crypto';
import { canonicalJson, type Json } from '../schedule/args.js';
import type { ErrorRecord } from '../text/errors.js';

export const OUTCOMES = ['succeeded', 'failed', 'timed_out', 'aborted', 'lost', 'skipped'] as const;

/** How a run ended. `lost` is what became of a run whose process died. */
export type Outcome = (typeof OUTCOMES)[number];

/** A tenant's id, as the tenants table has it. */
export type TenantId = string | number;

/** One execution of a job, for a slot or because somebody asked, and for one tenant if it has tenants. */
export interface Run {
    readonly id: string;
    readonly job: string;
    /** The job's file, if it has one. */
    readonly file: string | undefined;
    /** The crontab that made it due, after `CRON_TZ=` and the zone if it has one; undefined: none did. */
    readonly schedule: string | undefined;
    readonly args: readonly Json[];
    readonly tenant: TenantId | undefined;
    /** The slot, in unix seconds; undefined for a manual run without one. */
    readonly scheduledAt: number | undefined;
    /** How long after its slot it is to start, in milliseconds: its share of the job's `spread`. */
    readonly spread: number;
    /** Whether somebody asked for it, rather than the clock. */
    readonly manual: boolean;
    /** Who asked for it, `ada@web-1`; undefined: the clock, or nobody knows. */
    readonly requestedBy: string | undefined;
    /** The span in which somebody asked for it, as W3C's `traceparent`; undefined: there was none. */
    readonly traceparent: string | undefined;
    /** 1 for the first attempt; grows with each retry. */
    attempt: number;
    /** When the first attempt started, in unix milliseconds. */
    startedAt: number | undefined;
    /** When the run ended, in unix milliseconds. */
    endedAt: number | undefined;
    outcome: Outcome | undefined;
    /** Why it was skipped, aborted or lost. */
    reason: string | undefined;
    error: ErrorRecord | undefined;
    /** The trace of its last attempt here, if attempts are traced. */
    traceId?: string | undefined;
}

/** A run that has not started, unless `known` says otherwise. */
export function createRun(known: Pick<Run, 'job' | 'args'> & Partial<Run>): Run {
    return {
        id: known.id ?? randomUUID(),
        job: known.job,
        file: known.file,
        schedule: known.schedule,
        args: known.args,
        tenant: known.tenant,
        scheduledAt: known.scheduledAt,
        spread: known.spread ?? 0,
        manual: known.manual ?? false,
        requestedBy: known.requestedBy,
        traceparent: known.traceparent,
        attempt: known.attempt ?? 0,
        startedAt: known.startedAt,
        endedAt: undefined,
        outcome: undefined,
        reason: undefined,
        error: undefined,
    };
}

/** Whether somebody has to look at how a run ended: not if it was skipped, or told to end. */
export function isFailure(outcome: string | undefined): boolean {
    return outcome === 'failed' || outcome === 'timed_out' || outcome === 'lost';
}

/** The lane of a run: its job, args and tenant. The runs of a lane may not overlap. */
export function laneOf(run: Pick<Run, 'job' | 'args' | 'tenant'>): string {
    // The table may have a number for what a header has as text.
    const tenant = run.tenant === undefined ? '' : JSON.stringify(String(run.tenant));
    return `${run.job} ${canonicalJson(run.args)} ${tenant}`;
}

/** The lane and slot of a run: no schedule makes two runs that have both in common. */
export function slotKey(run: Pick<Run, 'job' | 'args' | 'tenant' | 'scheduledAt'>): string {
    return `${laneOf(run)} ${run.scheduledAt}`;
}

/** Whether no run seen before has its lane and slot. */
export function isFirst(run: Run, seen: Set<string>): boolean {
    const key = slotKey(run);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
}

/** How many milliseconds after its slot, and its spread, a run started; 0 if it has no slot, or has not started. */
export function latenessOf({
    scheduledAt,
    startedAt,
    spread = 0,
}: Pick<Run, 'scheduledAt' | 'startedAt'> & Partial<Pick<Run, 'spread'>>): number {
    if (scheduledAt === undefined || startedAt === undefined) return 0;
    return Math.max(0, startedAt - scheduledAt * 1000 - spread);
}

/** In milliseconds, with all attempts and the waits between; undefined until a run has ended. */
export function durationOf({ startedAt, endedAt }: Pick<Run, 'startedAt' | 'endedAt'>): number | undefined {
    return startedAt === undefined || endedAt === undefined ? undefined : endedAt - startedAt;
}
