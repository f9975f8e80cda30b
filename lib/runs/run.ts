import { randomUUID } from 'node:crypto';
import { canonicalJson, type Json } from '../schedule/args.js';
import type { ErrorRecord } from './errors.js';

/**
 * How a run ended. `lost` is what became of a run whose process died.
 */
export type Outcome = 'succeeded' | 'failed' | 'timed_out' | 'aborted' | 'skipped' | 'lost';

/** A tenant's id, as the tenants table has it. */
export type TenantId = string | number;

/** One execution of a job: a slot (or a manual call), and a tenant where there is one. */
export interface Run {
    readonly id: string;
    /** The job's name. */
    readonly job: string;
    /** The job's file, where it has one. */
    readonly file: string | undefined;
    /** The crontab it is due by, with `CRON_TZ=` and the zone in front where it has one; undefined: nobody's. */
    readonly schedule: string | undefined;
    /** What `run()` is called with. */
    readonly args: readonly Json[];
    readonly tenant: TenantId | undefined;
    /** The slot, in unix seconds; undefined for a manual run of no slot. */
    readonly scheduledAt: number | undefined;
    /** Whether somebody asked for it, rather than the clock. */
    readonly manual: boolean;
    /** 1 for the first attempt; grows with each retry. */
    attempt: number;
    /** When the first attempt started, in unix milliseconds. */
    startedAt: number | undefined;
    /** When the run ended, in unix milliseconds. */
    endedAt: number | undefined;
    outcome: Outcome | undefined;
    /** Why the outcome is what it is, where that needs saying: why it was skipped or aborted. */
    reason: string | undefined;
    /** What it failed with. */
    error: ErrorRecord | undefined;
}

/** What a job sees of its own run, as `this.currentRun`. */
export interface CurrentRun {
    readonly id: string;
    readonly job: string;
    /** The slot, in unix seconds; undefined for a manual run of no slot. */
    readonly scheduledAt: number | undefined;
    /** How long after its slot the run started, in milliseconds; 0 where there is no slot. */
    readonly lateBy: number;
    /** 1 for the first attempt; grows with each retry. */
    readonly attempt: number;
    readonly tenant: TenantId | undefined;
    /** Whether somebody asked for it, rather than the clock. */
    readonly manual: boolean;
}

/**
 * A run that has not started.
 *
 * @param identity what makes it this run and no other
 * @returns the run, with an id of its own
 */
export function createRun(
    identity: Pick<Run, 'job' | 'file' | 'args' | 'tenant' | 'scheduledAt' | 'manual'> &
        Partial<Pick<Run, 'schedule' | 'attempt'>>,
): Run {
    return {
        id: randomUUID(),
        job: identity.job,
        file: identity.file,
        schedule: identity.schedule,
        args: identity.args,
        tenant: identity.tenant,
        scheduledAt: identity.scheduledAt,
        manual: identity.manual,
        attempt: identity.attempt ?? 0,
        startedAt: undefined,
        endedAt: undefined,
        outcome: undefined,
        reason: undefined,
        error: undefined,
    };
}

/**
 * The lane of a run: job, args and tenant, what may not overlap itself.
 *
 * @param run a run
 * @returns a text that is equal for runs of the same lane
 */
export function laneOf(run: Pick<Run, 'job' | 'args' | 'tenant'>): string {
    // The table may have numbers where a header has texts.
    const tenant = run.tenant === undefined ? '' : JSON.stringify(String(run.tenant));
    return `${run.job} ${canonicalJson(run.args)} ${tenant}`;
}

/**
 * How long after its slot a run started.
 *
 * @param run a run
 * @returns milliseconds; 0 where it has no slot, has not started, or was asked for before its slot
 */
export function latenessOf(run: Pick<Run, 'scheduledAt' | 'startedAt'>): number {
    if (run.scheduledAt === undefined || run.startedAt === undefined) return 0;
    return Math.max(0, run.startedAt - run.scheduledAt * 1000);
}

/**
 * How long a run took, with all its attempts and the waits between them.
 *
 * @param run a run
 * @returns milliseconds; undefined where it has not started, or not ended
 */
export function durationOf({ startedAt, endedAt }: Pick<Run, 'startedAt' | 'endedAt'>): number | undefined {
    return startedAt === undefined || endedAt === undefined ? undefined : endedAt - startedAt;
}
