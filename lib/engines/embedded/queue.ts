import type { TenantId } from '../../runs/run.js';
import { isGone, type Owner } from '../owner.js';
import type { Database, Row, SqlValue } from './database.js';
import { type Consequence, enter, free, giveUp, skip } from './lanes.js';
import {
    COLUMNS,
    laneKey,
    type NewRow,
    NO_TURN,
    type RunningRow,
    runningRow,
    runOf,
    TAKEN_COLUMNS,
} from './rows.js';

/** What a process may take. */
export interface Takeable {
    /** Who takes. */
    readonly by: Owner;
    /** Unix milliseconds. */
    readonly now: number;
    /** Whether more than what somebody in this process waits for. */
    readonly anything: boolean;
    /** Whether no more runs of a batch may hold a turn here. */
    isFull(batch: number): boolean;
    /** Whether this process knows a job. */
    knows(job: string): boolean;
    fileOf(job: string): string | undefined;
}

const BATCHES =
    "SELECT DISTINCT batch FROM bot_runs INDEXED BY bot_waiting WHERE state = 'waiting' ORDER BY batch";

const OF_BATCH = `SELECT ${TAKEN_COLUMNS} FROM bot_runs INDEXED BY bot_waiting
    WHERE state = 'waiting' AND batch = ? ORDER BY order_at, position, seq`;

const TAKE = `UPDATE bot_runs SET state = 'running', attempt = attempt + 1, started_at = coalesce(started_at, ?),
    process = ?, host = ?, pid = ? WHERE seq = ?`;

/**
 * Takes the first row of a batch that may start here: it is running from now on.
 *
 * @param database within a transaction
 * @returns the row; undefined: there is none
 */
export function take(database: Database, batch: number, from: Takeable): RunningRow | undefined {
    const found = findRow(database, batch, from);
    if (!found) return undefined;
    const { by, now } = from;
    database.statement(TAKE).run([Math.floor(now), by.id, by.host, by.pid, found['seq'] as SqlValue]);
    const row = runningRow(found, from.fileOf);
    row.run.attempt += 1;
    row.run.startedAt ??= now;
    return row;
}

/** The batches of which any row can be taken, in order. */
export function waitingBatches(database: Database): number[] {
    return database
        .statement(BATCHES)
        .all([])
        .map((row) => row['batch'] as number);
}

function findRow(database: Database, batch: number, from: Takeable): Row | undefined {
    if (batch !== NO_TURN && from.isFull(batch)) return undefined;
    const isTakeable = (row: Row): boolean => {
        if (row['origin'] === 'waiter') return row['process'] === from.by.id;
        return from.anything && from.knows(row['job'] as string);
    };
    const first = database.statement(`${OF_BATCH} LIMIT 1`).get([batch]);
    if (!first || isTakeable(first)) return first;
    return database.statement(`${OF_BATCH} LIMIT 500`).all([batch]).find(isTakeable);
}

/** How a run ended, in texts. */
export interface Ending {
    readonly outcome: string;
    readonly reason: string | undefined;
    readonly error: string | undefined;
    readonly stack: string | undefined;
    /** Unix milliseconds. */
    readonly endedAt: number;
}

const MINE = "seq = ? AND state = 'running' AND process = ? AND attempt = ?";

/**
 * Records how a run ended, and frees its lane.
 *
 * @param database within a transaction
 * @returns what came of it; undefined: it was given up meanwhile, and that stands, with a note
 */
export function finish(
    database: Database,
    row: RunningRow,
    ending: Ending,
    by: Owner,
): Consequence[] | undefined {
    const freed = (): Consequence[] => [
        { kind: 'waits', batch: row.batch },
        ...(row.holds ? free(database, row.run.job, row.lane) : []),
    ];
    const { outcome, reason, error, stack, endedAt } = ending;
    if (outcome === 'skipped' && row.origin === 'schedule' && isMine(database, row, by)) {
        skip(database, row.run, row.lane, reason ?? outcome, by, row.seq);
        return freed();
    }
    const { changes } = database
        .statement(
            `UPDATE bot_runs SET state = ?, reason = ?, error = ?, stack = ?, ended_at = ? WHERE ${MINE}`,
        )
        .run([outcome, reason ?? null, error ?? null, stack ?? null, Math.floor(endedAt), ...mine(row, by)]);
    if (changes > 0) return freed();
    database
        .statement("UPDATE bot_runs SET reason = ? WHERE seq = ? AND state = 'lost'")
        .run([`given up as lost, but its process went on: ${outcome}`, row.seq]);
    return undefined;
}

/**
 * Lets a run wait for its next attempt; it keeps its lane.
 *
 * @param database within a transaction
 * @param at unix milliseconds
 * @returns `asked to end`: it gets no further attempt; `given up`: somebody has taken it for lost
 */
export function retryLater(
    database: Database,
    row: RunningRow,
    failure: { at: number; error: string | undefined; stack: string | undefined },
    by: Owner,
): 'waits' | 'asked to end' | 'given up' {
    const { changes } = database
        .statement(
            `UPDATE bot_runs SET state = 'delayed', run_at = ?, error = ?, stack = ? WHERE ${MINE} AND abort IS NULL`,
        )
        .run([Math.floor(failure.at), failure.error ?? null, failure.stack ?? null, ...mine(row, by)]);
    if (changes > 0) return 'waits';
    return isMine(database, row, by) ? 'asked to end' : 'given up';
}

/** As many tenants get their runs in one step. */
const MOST_IN_STEP = 200;

/**
 * Makes runs of a slot for its next tenants; with the last of them the slot has ended.
 *
 * @param database within a transaction
 * @param tenants all of them, in order
 * @returns what did not come to run, and whether this was the last step; undefined: the slot is another's by now
 */
export function fanOut(
    database: Database,
    row: RunningRow,
    tenants: readonly (TenantId | undefined)[],
    by: Owner,
    now: number,
): { consequences: Consequence[]; isLast: boolean } | undefined {
    const known = database.statement(`SELECT progress FROM bot_runs WHERE ${MINE}`).get(mine(row, by));
    if (!known) return undefined;
    const done = known['progress'] === null ? -1 : tenants.indexOf(JSON.parse(known['progress'] as string));
    const step = tenants.slice(done + 1, done + 1 + MOST_IN_STEP);
    const consequences = step.flatMap((tenant) => enter(database, rowFor(row, tenant, now), by, now));
    const isLast = done + 1 + step.length >= tenants.length;
    const last = step.at(-1);
    database
        .statement('UPDATE bot_runs SET progress = ?, state = ?, ended_at = ? WHERE seq = ?')
        .run([
            last === undefined ? (known['progress'] as SqlValue) : JSON.stringify(last),
            isLast ? 'fanned_out' : 'running',
            isLast ? Math.floor(now) : null,
            row.seq,
        ]);
    if (isLast) consequences.push({ kind: 'waits', batch: row.batch });
    if (isLast && row.holds) consequences.push(...free(database, row.run.job, row.lane));
    return { consequences, isLast };
}

function rowFor(slot: RunningRow, tenant: TenantId | undefined, now: number): NewRow {
    const { origin, overlap, missed, catchesUp, batch, position } = slot;
    const run = {
        ...slot.run,
        id: globalThis.crypto.randomUUID(),
        tenant,
        attempt: 0,
        startedAt: undefined,
        reason: undefined,
    };
    const lane = laneKey('run', run);
    return { kind: 'run', run, lane, origin, overlap, missed, catchesUp, batch, position, runAt: now };
}

/**
 * Asks a run to end. One that waits ends at once.
 *
 * @param database within a transaction
 * @param reason why
 */
export function abort(
    database: Database,
    id: string,
    job: string,
    reason: string,
    by: Owner,
    now: number,
): Consequence[] {
    const row = database
        .statement(
            `SELECT ${COLUMNS} FROM bot_runs INDEXED BY bot_unfinished WHERE job = ? AND ended_at IS NULL AND id = ?`,
        )
        .get([job, id]);
    if (!row) return [];
    const seq = row['seq'] as number;
    if (row['state'] === 'running') {
        database.statement('UPDATE bot_runs SET abort = coalesce(abort, ?) WHERE seq = ?').run([reason, seq]);
        return [{ kind: 'abort', id, reason }];
    }
    const isHead = row['holds'] === 1 && row['state'] !== 'blocked';
    const given = endWaiting(database, row, reason, by, now);
    return isHead ? [given, ...free(database, job, row['lane'] as string)] : [given];
}

function endWaiting(database: Database, row: Row, reason: string, by: Owner, now: number): Consequence {
    const seq = row['seq'] as number;
    const run = runOf(row, () => undefined);
    if (run.attempt === 0 && row['origin'] === 'schedule') return giveUp(database, row, seq, reason, by, now);
    const outcome = run.attempt > 0 ? ('aborted' as const) : ('skipped' as const);
    database
        .statement('UPDATE bot_runs SET state = ?, reason = ?, ended_at = ? WHERE seq = ?')
        .run([outcome, reason, Math.floor(now), seq]);
    return { kind: 'ended', run: Object.assign(run, { outcome, reason, endedAt: now }) };
}

/** For so long after it could have started a run waits for a process that knows its job, in milliseconds: a rolling release. */
const LONGEST_UNKNOWN = 300_000;

/**
 * Ends what has waited too long for a process that knows its job.
 *
 * @param database within a transaction
 * @param knows whether this process knows a job
 * @param now unix milliseconds
 */
export function giveUpUnknown(
    database: Database,
    knows: (job: string) => boolean,
    by: Owner,
    now: number,
): Consequence[] {
    return database
        .statement(
            `SELECT ${COLUMNS} FROM bot_runs INDEXED BY bot_waiting
            WHERE state = 'waiting' AND origin <> 'waiter' AND run_at <= ?`,
        )
        .all([Math.floor(now - LONGEST_UNKNOWN)])
        .filter((row) => !knows(row['job'] as string))
        .flatMap((row) => abort(database, row['id'] as string, row['job'] as string, 'unknown job', by, now));
}

/**
 * Sees to what a dead process has left: what it was running waits again, or is lost; what somebody there waited for ends.
 *
 * @param database within a transaction
 * @param retriesOf how many attempts more than one a job's runs have
 */
export function adopt(
    database: Database,
    process: string,
    retriesOf: (job: string) => number,
    now: number,
): { run: ReturnType<typeof runOf>; again: boolean }[] {
    const left = database
        .statement(
            `SELECT ${COLUMNS}, abort FROM bot_runs INDEXED BY bot_unfinished WHERE ended_at IS NULL AND process = ?
            AND (state = 'running' OR origin = 'waiter')`,
        )
        .all([process]);
    return left.map((row) => {
        const run = runOf(row, () => undefined);
        const isWaiter = row['origin'] === 'waiter';
        const mayRunAgain = row['kind'] === 'slot' || run.attempt <= retriesOf(run.job);
        const isToEnd = isWaiter || row['abort'] !== null;
        const again = !isToEnd && mayRunAgain && row['state'] === 'running';
        if (again) {
            database
                .statement("UPDATE bot_runs SET state = 'waiting' WHERE seq = ?")
                .run([row['seq'] ?? null]);
        } else {
            const outcome = row['state'] === 'running' ? 'lost' : 'aborted';
            database
                .statement('UPDATE bot_runs SET state = ?, reason = ?, ended_at = ? WHERE seq = ?')
                .run([outcome, PROCESS_DIED, Math.floor(now), row['seq'] ?? null]);
            if (row['holds'] === 1 && row['state'] !== 'blocked')
                free(database, run.job, row['lane'] as string);
            Object.assign(run, { outcome, reason: PROCESS_DIED, endedAt: now });
        }
        return { run, again };
    });
}

/**
 * Gives up the runs of a lane whose processes are provably gone: who stands at a terminal need not wait until a bot, if one
 * is started at all, has found that out. None of them is run again.
 *
 * @param database within a transaction
 */
export function giveUpGone(database: Database, job: string, lane: string, now: number): Consequence[] {
    const rows = database
        .statement(
            `SELECT ${COLUMNS}, (SELECT place FROM bot_processes WHERE bot_processes.id = bot_runs.process) AS place
            FROM bot_runs INDEXED BY bot_unfinished
            WHERE job = ? AND lane = ? AND ended_at IS NULL AND (state = 'running' OR origin = 'waiter')`,
        )
        .all([job, lane]);
    return rows.flatMap((row): Consequence[] => {
        const place = row['place'] as string | null;
        if (place === null || !isGone({ place, pid: row['pid'] as number })) return [];
        const run = runOf(row, () => undefined);
        const outcome = row['state'] === 'running' ? ('lost' as const) : ('aborted' as const);
        database
            .statement('UPDATE bot_runs SET state = ?, reason = ?, ended_at = ? WHERE seq = ?')
            .run([outcome, PROCESS_DIED, Math.floor(now), row['seq'] as SqlValue]);
        return [
            { kind: 'ended', run: Object.assign(run, { outcome, reason: PROCESS_DIED, endedAt: now }) },
            ...(row['holds'] === 1 && row['state'] !== 'blocked' ? free(database, job, lane) : []),
        ];
    });
}

/** Why a run is lost. */
export const PROCESS_DIED = 'its process died';

/** Ends rows that wait, have never started, and come from a schedule of a job. */
export function giveUpWaiting(
    database: Database,
    job: string,
    where: string,
    values: readonly SqlValue[],
    reason: string,
    by: Owner,
    now: number,
): Consequence[] {
    const rows = database
        .statement(
            `SELECT ${COLUMNS} FROM bot_runs INDEXED BY bot_unfinished WHERE job = ? AND ${where} AND ended_at IS NULL AND attempt = 0
            AND origin = 'schedule' AND state IN ('waiting', 'blocked', 'delayed')`,
        )
        .all([job, ...values]);
    return rows.flatMap((row) => {
        const given = giveUp(database, row, row['seq'] as number, reason, by, now);
        const isHead = row['state'] === 'waiting' && row['holds'] === 1;
        return isHead ? [given, ...free(database, job, row['lane'] as string)] : [given];
    });
}

/** Ends whatever waits, because nobody else will ever take it. */
export function giveUpAll(database: Database, now: number): Consequence[] {
    const rows = database
        .statement(
            `SELECT ${COLUMNS} FROM bot_runs WHERE ended_at IS NULL AND state <> 'running' ORDER BY seq`,
        )
        .all([]);
    return rows.map((row) => {
        const run = runOf(row, () => undefined);
        const outcome = run.attempt > 0 ? ('aborted' as const) : ('skipped' as const);
        database
            .statement("UPDATE bot_runs SET state = ?, reason = 'stopping', ended_at = ? WHERE seq = ?")
            .run([outcome, Math.floor(now), row['seq'] as SqlValue]);
        return { kind: 'ended', run: Object.assign(run, { outcome, reason: 'stopping', endedAt: now }) };
    });
}

function isMine(database: Database, row: RunningRow, by: Owner): boolean {
    return database.statement(`SELECT 1 FROM bot_runs WHERE ${MINE}`).get(mine(row, by)) !== undefined;
}

function mine({ seq, run }: RunningRow, by: Owner): SqlValue[] {
    return [seq, by.id, run.attempt];
}
