import type { Run } from '../../runs/run.js';
import { enterLane, type LaneMember } from '../lane_rules.js';
import type { Owner } from '../owner.js';
import type { Database, Row } from './database.js';
import { COLUMNS, holdsLane, insertRow, type NewRow, runOf } from './rows.js';
import { recordSkips } from './skips.js';

/** What became of other runs in a step. */
export type Consequence =
    /** It has ended, or does not start; `behind`: because of the run with this id, which has gone on since then. */
    | {
          readonly kind: 'ended';
          readonly run: Run;
          readonly behind?: string;
          readonly since?: number | undefined;
      }
    /** It is to end. */
    | { readonly kind: 'abort'; readonly id: string; readonly reason: string }
    /** There may be a run of this batch that can be taken. */
    | { readonly kind: 'waits'; readonly batch: number };

interface Member extends LaneMember {
    readonly row: Row;
}

// A row of the future is in no lane, unless it waits for its next attempt.
const MEMBERS = `SELECT ${COLUMNS} FROM bot_runs INDEXED BY bot_unfinished
    WHERE job = ? AND lane = ? AND ended_at IS NULL AND holds = 1 AND (state <> 'delayed' OR attempt > 0)
    ORDER BY order_at, position, seq`;

const FREE = `UPDATE bot_runs SET state = 'waiting' WHERE seq = (SELECT seq FROM bot_runs INDEXED BY bot_unfinished
    WHERE job = ? AND lane = ? AND ended_at IS NULL AND state = 'blocked' ORDER BY order_at, position, seq LIMIT 1)
    RETURNING batch`;

/** As many runs that catch up wait in a lane. */
const MOST_CATCHING_UP = 100;

/**
 * Lets a row enter its lane, by the job's `overlap`.
 *
 * @param database within a transaction
 * @param row the new row
 * @param now unix milliseconds
 * @returns what did not come to run because of it, or that it did not itself
 */
export function enter(database: Database, row: NewRow, by: Owner, now: number): Consequence[] {
    if (row.runAt > now) {
        insertRow(database, row, 'delayed', by);
        return [];
    }
    return enterLaneOf(database, row, by, now, (state, catchesUp) => {
        const entering = catchesUp === row.catchesUp ? row : { ...row, catchesUp };
        return insertRow(database, entering, state, by) !== undefined;
    });
}

/** What is due now of what was delayed enters its lane, or goes on to its next attempt. */
export function promote(database: Database, by: Owner, now: number, most: number): Consequence[] {
    const due = database
        .statement(
            `SELECT ${COLUMNS} FROM bot_runs INDEXED BY bot_delayed
            WHERE state = 'delayed' AND run_at <= ? AND (origin = 'waiter' OR NOT EXISTS
                (SELECT 1 FROM bot_pauses WHERE bot_pauses.job IN (bot_runs.job, '*')))
            ORDER BY run_at LIMIT ?`,
        )
        .all([now, most]);
    return due.flatMap((row) => {
        const seq = row['seq'] as number;
        const become = (state: string, catchesUp: boolean) => {
            const change = database.statement('UPDATE bot_runs SET state = ?, catches_up = ? WHERE seq = ?');
            return change.run([state, catchesUp ? 1 : 0, seq]).changes > 0;
        };
        if ((row['attempt'] as number) > 0) {
            become('waiting', row['catches_up'] === 1);
            return [{ kind: 'waits', batch: row['batch'] as number }];
        }
        const entrant = {
            kind: row['kind'] as NewRow['kind'],
            run: runOf(row, () => undefined),
            lane: row['lane'] as string,
            origin: row['origin'] as NewRow['origin'],
            overlap: row['overlap'] as NewRow['overlap'],
            catchesUp: row['catches_up'] === 1,
            missed: row['missed'] as NewRow['missed'],
            batch: row['batch'] as number,
        };
        return enterLaneOf(database, entrant, by, now, become, seq);
    });
}

type Entering = Omit<NewRow, 'position' | 'runAt'>;

function enterLaneOf(
    database: Database,
    row: Entering,
    by: Owner,
    now: number,
    become: (state: 'blocked' | 'waiting', catchesUp: boolean) => boolean,
    seq?: number,
): Consequence[] {
    const waits: Consequence = { kind: 'waits', batch: row.batch };
    if (!holdsLane(row) && row.missed !== 'all') {
        become('waiting', false);
        return [waits];
    }
    const members = membersOf(database, row.run.job, row.lane);
    // A slot that comes due while others of its lane catch up in order goes behind them.
    const joins = row.origin === 'schedule' && row.missed === 'all' && members.some(waitsToCatchUp);
    const catchesUp = row.catchesUp || joins;
    if (!holdsLane({ ...row, catchesUp })) {
        become('waiting', false);
        return [waits];
    }
    const entry = enterLane({ ...row, catchesUp }, members);
    if (entry.kind === 'overlap') {
        const holder = entry.with.row;
        if (row.origin === 'schedule') skip(database, row.run, row.lane, 'overlap', by, seq);
        return [
            {
                kind: 'ended',
                run: skipped(row.run, 'overlap', now),
                since: (holder['started_at'] as number | null) ?? undefined,
                behind: holder['id'] as string,
            },
        ];
    }
    // A slot that has its row, or its reason, moves nobody.
    if (!become(entry.isBlocked ? 'blocked' : 'waiting', catchesUp)) return [];
    const consequences: Consequence[] = entry.isBlocked ? [] : [waits];
    for (const { row: older, seq } of entry.supersedes)
        consequences.push(giveUp(database, older, seq, 'superseded', by, now));
    if (entry.overtakes)
        database.statement("UPDATE bot_runs SET state = 'blocked' WHERE seq = ?").run([entry.overtakes.seq]);
    if (entry.replaces) consequences.push(...replace(database, entry.replaces, now));
    const isHeadGone =
        entry.replaces?.state === 'delayed' || entry.supersedes.some(({ state }) => state === 'waiting');
    if (entry.isBlocked && isHeadGone) consequences.push(...free(database, row.run.job, row.lane));
    if (catchesUp) consequences.push(...dropTooMany(database, members, by, now));
    return consequences;
}

/**
 * Removes a row that never started: its slot is recorded as skipped.
 *
 * @returns the run that it was, with its reason
 */
export function giveUp(
    database: Database,
    row: Row,
    seq: number,
    reason: string,
    by: Owner,
    now: number,
): Consequence {
    const run = runOf(row, () => undefined);
    skip(database, run, row['lane'] as string, reason, by, seq);
    return { kind: 'ended', run: skipped(run, reason, now) };
}

/** The next row of a lane may be taken, now that the one before has ended. */
export function free(database: Database, job: string, lane: string): Consequence[] {
    const freed = database.statement(FREE).get([job, lane]);
    return freed ? [{ kind: 'waits', batch: freed['batch'] as number }] : [];
}

function replace(database: Database, { row, seq, state }: Member, now: number): Consequence[] {
    if (state === 'running') {
        database
            .statement("UPDATE bot_runs SET abort = coalesce(abort, 'replaced') WHERE seq = ?")
            .run([seq]);
        return [{ kind: 'abort', id: row['id'] as string, reason: 'replaced' }];
    }
    const end = database.statement(
        "UPDATE bot_runs SET state = 'aborted', reason = 'replaced', ended_at = ? WHERE seq = ?",
    );
    end.run([now, seq]);
    const run = runOf(row, () => undefined);
    return [
        { kind: 'ended', run: Object.assign(run, { outcome: 'aborted', reason: 'replaced', endedAt: now }) },
    ];
}

function dropTooMany(database: Database, members: readonly Member[], by: Owner, now: number): Consequence[] {
    const waiting = members.filter(waitsToCatchUp);
    const tooMany = waiting.slice(0, Math.max(0, waiting.length + 1 - MOST_CATCHING_UP));
    const dropped = tooMany.map(({ row, seq }) => giveUp(database, row, seq, 'too many', by, now));
    const head = tooMany.find(({ state }) => state === 'waiting');
    return head
        ? [...dropped, ...free(database, head.row['job'] as string, head.row['lane'] as string)]
        : dropped;
}

function waitsToCatchUp({ catchesUp, attempt, state }: LaneMember): boolean {
    return catchesUp && attempt === 0 && state !== 'running';
}

function membersOf(database: Database, job: string, lane: string): Member[] {
    return database
        .statement(MEMBERS)
        .all([job, lane])
        .map((row) => ({
            row,
            seq: row['seq'] as number,
            state: row['state'] as LaneMember['state'],
            attempt: row['attempt'] as number,
            catchesUp: row['catches_up'] === 1,
            isScheduled: row['origin'] === 'schedule',
        }));
}

/** Records that the slot of a row does not run; the row goes. */
export function skip(
    database: Database,
    run: Run,
    lane: string,
    reason: string,
    by: Owner,
    seq?: number,
): void {
    if (seq !== undefined) database.statement('DELETE FROM bot_runs WHERE seq = ?').run([seq]);
    const { job, schedule, args, tenant, scheduledAt: slot } = run;
    if (slot === undefined) return;
    recordSkips(
        database,
        { job, schedule, args, tenant, lane, reason, first: slot, last: slot, count: 1, atLeast: false },
        by,
    );
}

function skipped(run: Run, reason: string, now: number): Run {
    return Object.assign(run, { outcome: 'skipped' as const, reason, endedAt: now });
}
