import { enterLane, type LaneMember } from '../lane_rules.js';
import { holdsLane } from '../row.js';
import {
    IN_LANE,
    insertAlone,
    insertRow,
    type NewRow,
    type Step,
    type StoredRow,
    selectRows,
    setEnded,
    storedRows,
    UNFINISHED,
    unfinished,
} from './rows.js';
import { recordSkips } from './skips.js';
import { countEnd } from './streaks.js';

type Member = StoredRow & LaneMember;

const MEMBER = `job = ? AND lane = ? AND ${IN_LANE}`;

const MEMBERS = `${UNFINISHED} ${MEMBER} ORDER BY order_at, position, seq`;

// Those that catch up and have not started.
const IN_LINE = "catches_up = 1 AND attempt = 0 AND state <> 'running'";

const LINE = `SELECT count(*) AS members, coalesce(sum(${IN_LINE}), 0) AS line FROM bot_runs INDEXED BY bot_unfinished
    WHERE ended_at IS NULL AND ${MEMBER}`;

/** How many hold a lane or wait in it, and how many of them catch up. */
type Line = Record<'members' | 'line', number>;

const FREE = `UPDATE bot_runs SET state = 'waiting' WHERE state = 'blocked' AND seq =
    (SELECT seq FROM bot_runs INDEXED BY bot_unfinished WHERE ended_at IS NULL AND ${MEMBER}
        ORDER BY state = 'blocked', order_at, position, seq LIMIT 1)
    RETURNING batch`;

/** As many runs that catch up wait in a lane. */
const MOST_CATCHING_UP = 100;

/** Lets a new row enter its lane, by the job's `overlap`. */
export function enter(step: Step, row: NewRow): void {
    if (row.runAt > step.now) {
        insertRow(step, row, 'delayed');
        step.consequences.push({ kind: 'delayed', until: row.runAt });
    } else if (insertAlone(step, row)) step.consequences.push({ kind: 'waits', batch: row.batch });
    else if (!isKnown(step, row))
        enterLaneOf(step, row, (state, catchesUp) =>
            insertRow(step, catchesUp === row.catchesUp ? row : { ...row, catchesUp }, state),
        );
}

const DUE =
    selectRows(`INDEXED BY bot_delayed WHERE state = 'delayed' AND run_at <= ?1 AND (origin = 'waiter' OR NOT EXISTS
        (SELECT 1 FROM bot_pauses WHERE bot_pauses.job IN (bot_runs.job, '*') AND (until IS NULL OR until > ?1)))
    ORDER BY run_at LIMIT ?2`);

const KNOWN =
    "SELECT 1 FROM bot_runs INDEXED BY bot_slots WHERE lane = ? AND slot = ? AND origin = 'schedule'";

/** Whether its slot has a row: two schedules may have it in common, or a clock was set back. */
function isKnown({ database }: Step, { origin, lane, run }: NewRow): boolean {
    return (
        origin === 'schedule' && database.statement(KNOWN).get([lane, run.scheduledAt ?? null]) !== undefined
    );
}

/** What is due now of what was delayed enters its lane, or goes on to its next attempt; answers whether there may be more of it. */
export function promote(step: Step, most: number): boolean {
    const { database, now, consequences } = step;
    const due = storedRows(database, DUE, [now, most]);
    const change = database.statement(
        'UPDATE bot_runs SET state = ?, catches_up = ?, holds = ? WHERE seq = ?',
    );
    for (const row of due) {
        const become = (state: string, catchesUp: boolean) => {
            const holds = holdsLane({ ...row, catchesUp });
            return change.run([state, catchesUp ? 1 : 0, holds ? 1 : 0, row.seq]).changes > 0;
        };
        if (row.run.attempt === 0) enterLaneOf(step, row, become);
        else if (become('waiting', row.catchesUp)) consequences.push({ kind: 'waits', batch: row.batch });
    }
    return due.length === most;
}

function enterLaneOf(
    step: Step,
    row: NewRow & { readonly seq?: number },
    become: (state: 'blocked' | 'waiting', catchesUp: boolean) => boolean,
): void {
    const { database, now, consequences } = step;
    const waits = { kind: 'waits' as const, batch: row.batch };
    if (row.catchesUp || (row.origin === 'schedule' && row.missed === 'all')) {
        const { members, line } = database.statement(LINE).get([row.run.job, row.lane]) as Line;
        // A slot that comes due while others of its lane catch up in order goes behind them.
        if (row.catchesUp || line) {
            if (!become(members > 0 ? 'blocked' : 'waiting', true)) return;
            if (members === 0) consequences.push(waits);
            if (line >= MOST_CATCHING_UP) endOldest(step, row, line + 1 - MOST_CATCHING_UP);
            return;
        }
    }
    if (!holdsLane(row)) {
        if (become('waiting', false)) consequences.push(waits);
        return;
    }
    const entry = enterLane(row, membersOf(step, row));
    if (entry.kind === 'overlap') {
        const { run, origin, seq } = row;
        const { run: holder } = entry.with;
        if (origin === 'schedule') skip(step, row, 'overlap');
        else if (seq !== undefined) setEnded(step, seq, 'skipped', 'overlap');
        Object.assign(run, { outcome: 'skipped', reason: 'overlap', endedAt: now });
        consequences.push({ kind: 'ended', run, behind: holder.id, since: holder.startedAt });
        return;
    }
    // A slot that has its reason moves nobody.
    if (!become(entry.isBlocked ? 'blocked' : 'waiting', false)) return;
    if (!entry.isBlocked) consequences.push(waits);
    if (entry.overtakes)
        database.statement("UPDATE bot_runs SET state = 'blocked' WHERE seq = ?").run([entry.overtakes.seq]);
    for (const older of entry.supersedes) endRow(step, older, 'superseded');
    if (entry.replaces) askToEnd(step, entry.replaces, 'replaced');
}

function endOldest(step: Step, { run, lane }: NewRow, count: number): void {
    const oldest = `${MEMBER} AND ${IN_LINE} ORDER BY order_at, position, seq LIMIT ?`;
    for (const row of unfinished(step, oldest, [run.job, lane, count])) endRow(step, row, 'too many');
}

/** Asks a run to end, without another attempt; one that waits ends at once. */
export function askToEnd(step: Step, row: StoredRow, reason: string): void {
    const { seq, run, state } = row;
    if (state === 'running') {
        const ask = 'UPDATE bot_runs SET abort = coalesce(abort, ?) WHERE seq = ?';
        step.database.statement(ask).run([reason, seq]);
        step.consequences.push({ kind: 'abort', id: run.id, reason });
    } else endRow(step, row, reason);
}

/** Ends a row, and lets the next of its lane go. A slot that never started is recorded as skipped instead. */
export function endRow(
    step: Step,
    row: StoredRow,
    reason: string,
    outcome: 'skipped' | 'aborted' | 'lost' = row.run.attempt > 0 ? 'aborted' : 'skipped',
): void {
    if (outcome === 'skipped' && row.origin === 'schedule') skip(step, row, reason);
    else setEnded(step, row.seq, outcome, reason);
    step.consequences.push({
        kind: 'ended',
        run: Object.assign(row.run, { outcome, reason, endedAt: step.now }),
        streak: countEnd(step, row.run, outcome),
    });
    free(step, row);
}

/** The next row of a lane may be taken, if none of it can be or runs. */
export function free({ database, consequences }: Step, { run, lane }: Pick<NewRow, 'run' | 'lane'>): void {
    const freed = database.statement(FREE).get([run.job, lane]);
    if (freed) consequences.push({ kind: 'waits', batch: freed['batch'] as number });
}

/** Records that the slot of a row does not run; the row goes. */
export function skip(step: Step, row: NewRow & { readonly seq?: number }, reason: string): void {
    const { job, schedule, args, tenant, scheduledAt: slot } = row.run;
    if (row.seq !== undefined) step.database.statement('DELETE FROM bot_runs WHERE seq = ?').run([row.seq]);
    if (slot === undefined) return;
    const slots = { reason, first: slot, last: slot, count: 1, atLeast: false };
    recordSkips(step, { ...slots, job, schedule, args, tenant, lane: row.lane });
}

function membersOf({ database }: Step, { run, lane }: NewRow): Member[] {
    return storedRows(database, MEMBERS, [run.job, lane]).map((row) =>
        Object.assign(row, { attempt: row.run.attempt, isScheduled: row.origin === 'schedule' }),
    );
}
