import { createHash } from 'node:crypto';
import type { OverlapPolicy } from '../../jobs/settings.js';
import { createRun, laneOf, type Run, type TenantId } from '../../runs/run.js';
import type { Json } from '../../schedule/args.js';
import type { MissedPolicy } from '../../schedule/missed.js';
import type { LaneMember } from '../lane_rules.js';
import type { Owner } from '../owner.js';
import type { Streak } from '../streak.js';
import type { Database, Row, SqlValue } from './database.js';

/** One transaction. */
export interface Step {
    readonly database: Database;
    /** Who writes. */
    readonly by: Owner;
    /** Unix milliseconds. */
    readonly now: number;
    readonly consequences: Consequence[];
    /** After how many failures in a row a job is failing. */
    failingAfter(job: string): number;
}

/** What became of other runs in a step. */
export type Consequence =
    /** It has ended, or does not start; `behind`: because of the run with this id, which has gone on since then. */
    | {
          readonly kind: 'ended';
          readonly run: Run;
          readonly behind?: string;
          readonly since?: number | undefined;
          readonly streak?: Streak | undefined;
      }
    /** It is to end. */
    | { readonly kind: 'abort'; readonly id: string; readonly reason: string }
    /** It waits for its time, in unix milliseconds. */
    | { readonly kind: 'delayed'; readonly until: number }
    /** There may be a run of this batch that can be taken. */
    | { readonly kind: 'waits'; readonly batch: number };

export type Kind = 'run' | 'slot';

/** A run that is written down when it is due. */
export interface NewRow {
    readonly kind: Kind;
    readonly run: Run;
    readonly lane: string;
    readonly origin: 'schedule' | 'waiter' | 'later';
    readonly overlap: OverlapPolicy;
    readonly missed: MissedPolicy;
    readonly catchesUp: boolean;
    /** Whose runs take turns. */
    readonly batch: number;
    readonly position: number;
    /** Unix milliseconds. */
    readonly runAt: number;
}

/** A row that has not ended. */
export interface StoredRow extends NewRow {
    /** Another where another database has taken the place of the one it was read from. */
    seq: number;
    readonly state: LaneMember['state'];
    readonly process: string;
    readonly isToEnd: boolean;
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
        missed, catches_up, batch, order_at, position, run_at, attempt, process, host, pid, spread,
        requested_by)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, 0, ?19, ?20, ?21, ?22, ?23
    WHERE ?9 <> 'schedule' OR NOT EXISTS (SELECT 1 FROM bot_skips INDEXED BY bot_skips_by_lane
        WHERE lane = ?10 AND last >= ?8 AND first <= ?8 AND schedule IS ?5)
    ON CONFLICT DO NOTHING`;

/** Writes a row down; answers false where its slot has a row, or a reason, already. */
export function insertRow(
    { database, by }: Step,
    row: NewRow,
    state: 'delayed' | 'blocked' | 'waiting',
): boolean {
    const { run } = row;
    const values = [
        run.id,
        row.kind,
        state,
        run.job,
        run.schedule ?? null,
        run.args.length === 0 ? '[]' : JSON.stringify(run.args),
        run.tenant === undefined ? null : JSON.stringify(run.tenant),
        run.scheduledAt ?? null,
        row.origin,
        row.lane,
        holdsLane(row) ? 1 : 0,
        row.overlap,
        row.missed,
        row.catchesUp ? 1 : 0,
        row.batch,
        run.scheduledAt ?? Math.floor(row.runAt / 1000),
        row.position,
        Math.floor(row.runAt),
        by.id,
        by.host,
        by.pid,
        run.spread,
        run.requestedBy ?? null,
    ];
    const isNew = database.statement(INSERT).run(values).changes > 0;
    if (isNew && run.traceparent !== undefined)
        database
            .statement('UPDATE bot_runs SET traceparent = ? WHERE seq = last_insert_rowid()')
            .run([run.traceparent]);
    return isNew;
}

/** What is asked for of a row that has not ended: each column costs. */
export const COLUMNS = `seq, id, kind, state, job, schedule, args, tenant, slot, origin, lane, overlap, missed, catches_up,
    batch, position, run_at, attempt, started_at, process, abort, spread, requested_by`;

export const UNFINISHED = `SELECT ${COLUMNS} FROM bot_runs INDEXED BY bot_unfinished WHERE ended_at IS NULL AND`;

/** The rows that have not ended, and are like this. */
export function unfinished({ database }: Step, where: string, values: readonly SqlValue[]): StoredRow[] {
    return database.statement(`${UNFINISHED} ${where}`).all(values).map(storedRow);
}

export function storedRow(row: Row): StoredRow {
    return {
        seq: row['seq'] as number,
        kind: row['kind'] as Kind,
        state: row['state'] as LaneMember['state'],
        run: createRun({
            ...whatRan(row),
            id: row['id'] as string,
            scheduledAt: (row['slot'] as number | null) ?? undefined,
            spread: row['spread'] as number,
            manual: row['origin'] !== 'schedule',
            requestedBy: (row['requested_by'] as string | null) ?? undefined,
            attempt: row['attempt'] as number,
            startedAt: (row['started_at'] as number | null) ?? undefined,
        }),
        lane: row['lane'] as string,
        origin: row['origin'] as NewRow['origin'],
        overlap: row['overlap'] as OverlapPolicy,
        missed: row['missed'] as MissedPolicy,
        catchesUp: row['catches_up'] === 1,
        batch: row['batch'] as number,
        position: row['position'] as number,
        runAt: row['run_at'] as number,
        process: row['process'] as string,
        isToEnd: row['abort'] !== null,
    };
}

/** What all rows of runs and of skips have in common. */
export function whatRan(row: Row) {
    return {
        job: row['job'] as string,
        schedule: (row['schedule'] as string | null) ?? undefined,
        args: JSON.parse(row['args'] as string) as Json[],
        tenant: row['tenant'] === null ? undefined : (JSON.parse(row['tenant'] as string) as TenantId),
    };
}

export function setEnded({ database, now }: Step, seq: number, outcome: string, reason: string): void {
    database
        .statement('UPDATE bot_runs SET state = ?, reason = ?, ended_at = ? WHERE seq = ?')
        .run([outcome, reason, Math.floor(now), seq]);
}
