import { createHash } from 'node:crypto';
import type { OverlapPolicy } from '../../jobs/settings.js';
import { laneOf, type Run, type TenantId } from '../../runs/run.js';
import type { Json } from '../../schedule/args.js';
import type { MissedPolicy } from '../../schedule/missed.js';
import type { Owner } from '../owner.js';
import type { Database, Row, SqlValue } from './database.js';

export type Kind = 'run' | 'slot';
export type Origin = 'schedule' | 'waiter' | 'later';

/** A run that is written down when it is due. Times are unix milliseconds, slots and `orderAt` unix seconds. */
export interface NewRow {
    readonly kind: Kind;
    readonly run: Run;
    readonly lane: string;
    readonly origin: Origin;
    readonly overlap: OverlapPolicy;
    readonly missed: MissedPolicy;
    readonly catchesUp: boolean;
    /** Whose runs take turns. */
    readonly batch: number;
    readonly position: number;
    readonly runAt: number;
}

/** A row that is running, as its process has to know it. */
export interface RunningRow {
    /** Another where another database has taken the place of the one it was taken from. */
    seq: number;
    readonly kind: Kind;
    readonly run: Run;
    readonly lane: string;
    readonly holds: boolean;
    readonly batch: number;
    readonly origin: Origin;
    readonly overlap: OverlapPolicy;
    readonly missed: MissedPolicy;
    readonly position: number;
    readonly catchesUp: boolean;
    /** Unix milliseconds. */
    readonly runAt: number;
}

/** A batch whose runs need no turn: somebody waits for them. */
export const NO_TURN = -1;

/** A lane, as rows have it. */
export function laneKey(kind: Kind, run: Pick<Run, 'job' | 'args' | 'tenant'>): string {
    return createHash('sha1')
        .update(`${kind} ${laneOf(run)}`)
        .digest('base64url')
        .slice(0, 16);
}

/** Whether a row keeps its lane: runs that may overlap do not, unless they catch up, one after another. */
export function holdsLane({ overlap, catchesUp }: Pick<NewRow, 'overlap' | 'catchesUp'>): boolean {
    return overlap !== 'allow' || catchesUp;
}

const INSERT = `INSERT INTO bot_runs (id, kind, state, job, schedule, args, tenant, slot, origin, lane, holds, overlap,
        missed, catches_up, batch, order_at, position, run_at, attempt, process, host, pid)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, 0, ?19, ?20, ?21
    WHERE ?9 <> 'schedule' OR NOT EXISTS (SELECT 1 FROM bot_skips INDEXED BY bot_skips_by_lane
        WHERE lane = ?10 AND last >= ?8 AND first <= ?8 AND schedule IS ?5)
    ON CONFLICT DO NOTHING`;

/**
 * Writes a row down.
 *
 * @returns its number; undefined: the slot has a row, or a reason, already
 */
export function insertRow(
    database: Database,
    row: NewRow,
    state: 'delayed' | 'blocked' | 'waiting',
    by: Owner,
): number | undefined {
    const { run, kind, lane, origin, overlap, missed, catchesUp, batch, position, runAt } = row;
    const made = database
        .statement(INSERT)
        .run([
            run.id,
            kind,
            state,
            run.job,
            run.schedule ?? null,
            run.args.length === 0 ? '[]' : JSON.stringify(run.args),
            run.tenant === undefined ? null : JSON.stringify(run.tenant),
            run.scheduledAt ?? null,
            origin,
            lane,
            holdsLane(row) ? 1 : 0,
            overlap,
            missed,
            catchesUp ? 1 : 0,
            batch,
            run.scheduledAt ?? Math.floor(runAt / 1000),
            position,
            Math.floor(runAt),
            by.id,
            by.host,
            by.pid,
        ]);
    return made.changes > 0 ? made.lastInsertRowid : undefined;
}

/** What is asked for of a row that may be taken: each column costs. */
export const TAKEN_COLUMNS = `seq, id, kind, job, schedule, args, tenant, slot, origin, lane, holds, overlap, missed,
    catches_up, batch, position, run_at, attempt, started_at, process`;

export const COLUMNS = `${TAKEN_COLUMNS}, state, ended_at, reason, host, pid`;

/** The row of a run that is executed, or is going to be. */
export function runningRow(row: Row, fileOf: (job: string) => string | undefined): RunningRow {
    return {
        seq: row['seq'] as number,
        kind: row['kind'] as Kind,
        run: runOf(row, fileOf),
        lane: row['lane'] as string,
        holds: row['holds'] === 1,
        batch: row['batch'] as number,
        origin: row['origin'] as Origin,
        overlap: row['overlap'] as OverlapPolicy,
        missed: row['missed'] as MissedPolicy,
        position: row['position'] as number,
        catchesUp: row['catches_up'] === 1,
        runAt: row['run_at'] as number,
    };
}

/** The run of a row. */
export function runOf(row: Row, fileOf: (job: string) => string | undefined): Run {
    const job = row['job'] as string;
    return {
        id: row['id'] as string,
        job,
        file: fileOf(job),
        schedule: text(row['schedule']),
        args: JSON.parse(row['args'] as string) as Json[],
        tenant: row['tenant'] === null ? undefined : (JSON.parse(row['tenant'] as string) as TenantId),
        scheduledAt: (row['slot'] as number | null) ?? undefined,
        manual: row['origin'] !== 'schedule',
        attempt: row['attempt'] as number,
        startedAt: (row['started_at'] as number | null) ?? undefined,
        endedAt: (row['ended_at'] as number | null) ?? undefined,
        outcome: undefined,
        reason: text(row['reason']),
        error: undefined,
    };
}

function text(value: SqlValue | undefined): string | undefined {
    return (value as string | null | undefined) ?? undefined;
}
