import { createHash } from 'node:crypto';
import type { OverlapPolicy } from '../../jobs/settings.js';
import type { PastRun } from '../../runs/history.js';
import { laneOf, latenessOf, type Run, type TenantId } from '../../runs/run.js';
import type { Json } from '../../schedule/args.js';
import type { MissedPolicy } from '../../schedule/missed.js';
import { traceOf } from '../../text/errors.js';
import type { Owner } from '../owner.js';

/** A run from when it is due until it has ended, as Redis has it. */
export interface RedisRow {
    readonly id: string;
    readonly kind: 'run' | 'slot';
    readonly origin: 'schedule' | 'waiter' | 'later';
    readonly lane: string;
    readonly job: string;
    readonly schedule: string | null;
    readonly args: readonly Json[];
    readonly tenant: TenantId | null;
    /** Unix seconds. */
    readonly slot: number | null;
    /** The slot before it, in unix seconds: successive skips share an entry. */
    readonly prev: number | null;
    readonly overlap: OverlapPolicy;
    readonly missed: MissedPolicy;
    readonly catchesUp: boolean;
    /** Unix milliseconds. */
    readonly runAt: number;
    readonly retries: number;
    /** The process that waits for it, or has recorded it. */
    readonly process: string;
    /** The beginning of its entry where its slot is skipped: JSON without its end. */
    readonly past: string;
}

/** A lane, in a key. */
export function laneKey(kind: RedisRow['kind'], run: Pick<Run, 'job' | 'args' | 'tenant'>): string {
    return createHash('sha1')
        .update(`${kind} ${laneOf(run)}`)
        .digest('base64url')
        .slice(0, 16);
}

/** What a row is made of, beside its run. */
export type RowParts = Pick<
    RedisRow,
    'kind' | 'origin' | 'overlap' | 'missed' | 'catchesUp' | 'runAt' | 'retries'
>;

/** The row of a run. */
export function rowOf(run: Run, parts: RowParts, prev: number | undefined, owner: Owner): RedisRow {
    const lane = laneKey(parts.kind, run);
    const isSlot = parts.origin === 'schedule';
    return {
        id: isSlot ? `${run.scheduledAt}-${lane}` : run.id,
        lane,
        job: run.job,
        schedule: run.schedule ?? null,
        args: run.args,
        tenant: run.tenant ?? null,
        slot: run.scheduledAt ?? null,
        prev: prev ?? null,
        process: owner.id,
        past: pastOf(run, owner),
        ...parts,
    };
}

/** The beginning of an entry of skipped slots: JSON without its end. */
export function pastOf(
    { job, schedule, args, tenant }: Pick<Run, 'job' | 'schedule' | 'args' | 'tenant'>,
    { host, pid }: Owner,
): string {
    return JSON.stringify({ kind: 'skips', job, schedule, args, tenant, host, pid }).slice(0, -1);
}

/** The run of a row. */
export function runOf(row: RedisRow, file: string | undefined): Run {
    return {
        id: row.id,
        job: row.job,
        file,
        schedule: row.schedule ?? undefined,
        args: row.args,
        tenant: row.tenant ?? undefined,
        scheduledAt: row.slot ?? undefined,
        manual: row.origin !== 'schedule',
        attempt: 0,
        startedAt: undefined,
        endedAt: undefined,
        outcome: undefined,
        reason: undefined,
        error: undefined,
    };
}

/** What is remembered of a run. */
export function pastRunOf(run: Run, { host, pid }: Pick<Owner, 'host' | 'pid'>): PastRun {
    const {
        id,
        job,
        schedule,
        args,
        tenant,
        scheduledAt,
        manual,
        attempt,
        startedAt = 0,
        endedAt,
        error,
    } = run;
    return {
        kind: 'run',
        id,
        job,
        schedule,
        args,
        tenant,
        scheduledAt,
        manual,
        attempt,
        startedAt,
        endedAt,
        lateBy: latenessOf(run),
        outcome: run.outcome ?? 'running',
        reason: run.reason,
        error: error && `${error.name}: ${error.message}`,
        stack: error && traceOf(error),
        host,
        pid,
    };
}
