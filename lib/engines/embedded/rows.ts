import type { OverlapPolicy } from '../../jobs/settings.js';
import { createRun, type Run, type TenantId } from '../../runs/run.js';
import type { Json } from '../../schedule/args.js';
import type { MissedPolicy } from '../../schedule/missed.js';
import type { LaneMember } from '../lane_rules.js';
import type { Owner } from '../owner.js';
import { type Entry, holdsLane, type Kind } from '../row.js';
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

/** A run that is written down when it is due. */
export interface NewRow extends Entry {
    readonly lane: string;
    readonly origin: 'schedule' | 'waiter' | 'later';
    readonly overlap: OverlapPolicy;
    readonly missed: MissedPolicy;
    readonly catchesUp: boolean;
    /** Whose runs take turns. */
    readonly batch: number;
    readonly position: number;
    /** Of those of its job with this key, one waits. */
    readonly key?: string | undefined;
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

// A row of the future is in no lane, unless it waits for its next attempt.
export const IN_LANE = "holds = 1 AND (state <> 'delayed' OR attempt > 0)";

const NEW_ROW = `INSERT INTO bot_runs (id, kind, state, job, schedule, args, tenant, slot, origin, lane, holds, overlap,
        missed, catches_up, batch, order_at, position, run_at, attempt, process, host, pid, spread,
        requested_by, traceparent, key)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, 0, ?19, ?20, ?21, ?22, ?23,
        ?24, ?25
    WHERE (?9 <> 'schedule' OR NOT EXISTS (SELECT 1 FROM bot_skips INDEXED BY bot_skips_by_lane
        WHERE lane = ?10 AND last >= ?8 AND first <= ?8 AND schedule IS ?5))`;

const INSERT = `${NEW_ROW} ON CONFLICT DO NOTHING`;

const INSERT_ALONE = `${NEW_ROW} AND NOT EXISTS (SELECT 1 FROM bot_runs INDEXED BY bot_unfinished
    WHERE ended_at IS NULL AND job = ?4 AND lane = ?10 AND ${IN_LANE}) ON CONFLICT DO NOTHING`;

/** Writes a row down; answers false where its slot has a row, or a reason, already. */
export function insertRow(step: Step, row: NewRow, state: 'delayed' | 'blocked' | 'waiting'): boolean {
    return step.database.statement(INSERT).run(valuesOf(row, state, step.by)).changes > 0;
}

/** Writes a row down that waits; answers false where another is in its lane, too, and where its slot is known. */
export function insertAlone(step: Step, row: NewRow): boolean {
    return step.database.statement(INSERT_ALONE).run(valuesOf(row, 'waiting', step.by)).changes > 0;
}

function valuesOf(row: NewRow, state: string, by: Owner): SqlValue[] {
    const { run } = row;
    return [
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
        run.traceparent ?? null,
        row.key ?? null,
    ];
}

const COLUMNS = `seq, id, kind, state, job, schedule, args, tenant, slot, origin, lane, overlap, missed, catches_up,
    batch, position, run_at, attempt, started_at, process, abort, spread, requested_by, traceparent`;

/** The query for rows that have not ended; each column costs. */
export function selectRows(where: string): string {
    return `SELECT ${COLUMNS} FROM bot_runs ${where}`;
}

export const UNFINISHED = selectRows('INDEXED BY bot_unfinished WHERE ended_at IS NULL AND');

/** The rows that have not ended, and are like this. */
export function unfinished({ database }: Step, where: string, values: readonly SqlValue[]): StoredRow[] {
    return storedRows(database, `${UNFINISHED} ${where}`, values);
}

/** Reads rows that have not ended, by a query that `selectRows` has made. */
export function storedRows(database: Database, sql: string, values: readonly SqlValue[]): StoredRow[] {
    return (database.statement(sql).raw().all(values) as Columns[]).map(storedRow);
}

type Columns = [
    ...[seq: number, id: string, kind: Kind, state: LaneMember['state'], job: string],
    ...[schedule: string | null, args: string, tenant: string | null, slot: number | null],
    ...[origin: NewRow['origin'], lane: string, overlap: OverlapPolicy, missed: MissedPolicy],
    ...[catchesUp: number, batch: number, position: number, runAt: number, attempt: number],
    ...[startedAt: number | null, process: string, abort: string | null, spread: number],
    ...[requestedBy: string | null, traceparent: string | null],
];

function storedRow(columns: Columns): StoredRow {
    const [seq, id, kind, state, job, schedule, args, tenant, slot, origin, lane, ...others] = columns;
    const [overlap, missed, catchesUp, batch, position, runAt, attempt, startedAt, ...rest] = others;
    const [process, abort, spread, requestedBy, traceparent] = rest;
    const run = createRun({
        id,
        job,
        schedule: schedule ?? undefined,
        args: readArgs(args),
        tenant: readTenant(tenant),
        scheduledAt: slot ?? undefined,
        spread,
        manual: origin !== 'schedule',
        requestedBy: requestedBy ?? undefined,
        traceparent: traceparent ?? undefined,
        attempt,
        startedAt: startedAt ?? undefined,
    });
    const lanes = { lane, origin, overlap, missed, catchesUp: catchesUp === 1 };
    return { seq, kind, state, run, ...lanes, batch, position, runAt, process, isToEnd: abort !== null };
}

function readArgs(text: string): Json[] {
    return text === '[]' ? [] : JSON.parse(text);
}

function readTenant(text: string | null): TenantId | undefined {
    return text === null ? undefined : JSON.parse(text);
}

/** What all rows of runs and of skips have in common. */
export function whatRan(row: Row) {
    return {
        job: row['job'] as string,
        schedule: (row['schedule'] as string | null) ?? undefined,
        args: readArgs(row['args'] as string),
        tenant: readTenant(row['tenant'] as string | null),
    };
}

export function setEnded({ database, now }: Step, seq: number, outcome: string, reason: string): void {
    database
        .statement('UPDATE bot_runs SET state = ?, reason = ?, ended_at = ? WHERE seq = ?')
        .run([outcome, reason, Math.floor(now), seq]);
}
