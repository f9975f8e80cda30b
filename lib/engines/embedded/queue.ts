import type { TenantId } from '../../runs/run.js';
import { isGone, type Owner } from '../owner.js';
import { entryFor, laneKey, PROCESS_DIED } from '../row.js';
import type { Streak } from '../streak.js';
import type { SqlValue } from './database.js';
import { askToEnd, endRow, enter, free, skip } from './lanes.js';
import { type Step, type StoredRow, selectRows, storedRows, unfinished } from './rows.js';
import { countEnd } from './streaks.js';

/** What a process may take. */
export interface Takeable {
    /** How many rows. */
    readonly most: number;
    /** Whether also what nobody in this process waits for. */
    readonly anything: boolean;
    knows(job: string): boolean;
}

const BATCHES =
    "SELECT DISTINCT batch FROM bot_runs INDEXED BY bot_waiting WHERE state = 'waiting' ORDER BY batch";

const OF_BATCH = selectRows(
    "INDEXED BY bot_waiting WHERE state = 'waiting' AND batch = ? ORDER BY order_at, position, seq LIMIT ?",
);

/** As many rows are looked through for one that may start here. */
const MOST_PASSED_OVER = 500;

const TAKE = `UPDATE bot_runs SET state = 'running', attempt = attempt + 1, started_at = coalesce(started_at, ?),
    process = ?, host = ?, pid = ? WHERE seq IN (SELECT value FROM json_each(?))`;

/** Takes the first rows of a batch that may start here: they are running from now on. */
export function take({ database, by, now }: Step, batch: number, what: Takeable): StoredRow[] {
    const { most } = what;
    if (most <= 0) return [];
    const isTakeable = ({ origin, process, run }: StoredRow) =>
        origin === 'waiter' ? process === by.id : what.anything && what.knows(run.job);
    const first = (limit: number) => storedRows(database, OF_BATCH, [batch, limit]);
    const found = first(most);
    let rows = found.filter(isTakeable);
    // Behind those that are not for this process there may be others.
    if (rows.length < found.length) rows = first(MOST_PASSED_OVER).filter(isTakeable).slice(0, most);
    if (rows.length === 0) return [];
    const seqs = JSON.stringify(rows.map(({ seq }) => seq));
    database.statement(TAKE).run([Math.floor(now), by.id, by.host, by.pid, seqs]);
    for (const { run } of rows) {
        run.attempt += 1;
        run.startedAt ??= now;
    }
    return rows;
}

/** The batches of which any row can be taken, in order. */
export function waitingBatches({ database }: Step): number[] {
    return database
        .statement(BATCHES)
        .all([])
        .map((row) => row['batch'] as number);
}

/** How a run ended, in texts. */
export interface Ending {
    readonly outcome: string;
    readonly reason?: string | undefined;
    readonly error?: string | undefined;
    readonly stack?: string | undefined;
}

const MINE = "seq = ? AND state = 'running' AND process = ? AND attempt = ?";

const FINISH = `UPDATE bot_runs SET state = ?, reason = ?, error = ?, stack = ?, ended_at = ? WHERE ${MINE}`;

// Mostly neither is so.
const CONCERNED = `SELECT EXISTS (SELECT 1 FROM bot_runs INDEXED BY bot_unfinished
        WHERE ended_at IS NULL AND job = ?1 AND lane = ?2 AND state = 'blocked') AS isAwaited,
    EXISTS (SELECT 1 FROM bot_streaks WHERE job = ?1) AS wasFailing`;

/** What a row's end comes to. */
export interface Ended {
    /** False: it was given up meanwhile, and that stands. */
    readonly isInTime: boolean;
    readonly streak?: Streak | undefined;
}

/** Records how a run ended, and frees its lane; where it was given up meanwhile, with a note alone. */
export function finish(step: Step, row: StoredRow, ending: Ending): Ended {
    const { database, by, now, consequences } = step;
    const { outcome, reason, error, stack } = ending;
    const texts = [outcome, reason ?? null, error ?? null, stack ?? null];
    const { changes } = database
        .statement(FINISH)
        .run([...texts, Math.floor(row.run.endedAt ?? now), ...mine(row, by)]);
    if (changes === 0) {
        database
            .statement("UPDATE bot_runs SET reason = ? WHERE seq = ? AND state = 'lost'")
            .run([`given up as lost, but its process went on: ${outcome}`, row.seq]);
        return { isInTime: false };
    }
    if (outcome === 'skipped' && row.origin === 'schedule') skip(step, row, reason ?? outcome);
    consequences.push({ kind: 'waits', batch: row.batch });
    const concerned = database.statement(CONCERNED).get([row.run.job, row.lane]);
    if (concerned?.['isAwaited']) free(step, row);
    const isCounted = concerned?.['wasFailing'] || outcome !== 'succeeded';
    return { isInTime: true, streak: isCounted ? countEnd(step, row.run, outcome) : undefined };
}

/** Lets a run wait for its next attempt, in its lane, unless it is asked to end, or somebody has taken it for lost. */
export function retryLater(
    step: Step,
    row: StoredRow,
    failure: { at: number; error?: string | undefined; stack?: string | undefined },
): boolean {
    const { changes } = step.database
        .statement(
            `UPDATE bot_runs SET state = 'delayed', run_at = ?, error = ?, stack = ? WHERE ${MINE} AND abort IS NULL`,
        )
        .run([Math.floor(failure.at), failure.error ?? null, failure.stack ?? null, ...mine(row, step.by)]);
    return changes > 0;
}

/** As many tenants get their runs in one step. */
const MOST_IN_STEP = 200;

/** Makes runs of a slot for its next tenants; undefined: it goes on. */
export function fanOut(
    step: Step,
    row: StoredRow,
    tenants: readonly (TenantId | undefined)[],
    spread: number,
): Ended | undefined {
    const { database, by, now, consequences } = step;
    const known = database.statement(`SELECT progress FROM bot_runs WHERE ${MINE}`).get(mine(row, by));
    if (!known) return { isInTime: false };
    const progress = known['progress'] as string | null;
    const from = progress === null ? 0 : tenants.indexOf(JSON.parse(progress)) + 1;
    const next = tenants.slice(from, from + MOST_IN_STEP);
    // Not the number of its row, which a tenant that is skipped would take along.
    const { seq: _, ...shared } = row;
    for (const tenant of next) {
        const entry = entryFor(tenant, row.run, spread, now);
        enter(step, { ...shared, ...entry, lane: laneKey(entry.kind, entry.run) });
    }
    if (from + next.length < tenants.length) {
        database
            .statement('UPDATE bot_runs SET progress = ? WHERE seq = ?')
            .run([JSON.stringify(next.at(-1)), row.seq]);
        return undefined;
    }
    database
        .statement("UPDATE bot_runs SET state = 'fanned_out', ended_at = ? WHERE seq = ?")
        .run([Math.floor(now), row.seq]);
    consequences.push({ kind: 'waits', batch: row.batch });
    free(step, row);
    return { isInTime: true, streak: countEnd(step, row.run, 'succeeded') };
}

/** Asks a run to end; one that waits ends at once. Answers whether there is such a run. */
export function abort(step: Step, id: string, reason: string): boolean {
    const rows = unfinished(step, "job > '' AND id = ?", [id]);
    for (const row of rows) askToEnd(step, row, reason);
    return rows.length > 0;
}

const KEYED = selectRows(
    'INDEXED BY bot_keys WHERE job = ? AND key = ? AND key IS NOT NULL AND ended_at IS NULL AND attempt = 0',
);

/** The run of a job with a key that waits and has never started. */
export function findKeyed(step: Step, job: string, key: string): StoredRow | undefined {
    return storedRows(step.database, KEYED, [job, key])[0];
}

/** For so long after it could have started a run waits for a process that knows its job, in milliseconds: a rolling release. */
const LONGEST_UNKNOWN = 300_000;

const OLD = selectRows(
    "INDEXED BY bot_waiting WHERE state = 'waiting' AND origin <> 'waiter' AND run_at <= ?",
);

/** Ends what has waited too long for a process that knows its job. */
export function giveUpUnknown(step: Step, knows: (job: string) => boolean): void {
    const waiting = storedRows(step.database, OLD, [Math.floor(step.now - LONGEST_UNKNOWN)]);
    for (const row of waiting) if (!knows(row.run.job)) endRow(step, row, 'unknown job');
}

// What a process has left: what it was running, and what somebody there waited for.
const LEFT = "(state = 'running' OR origin = 'waiter')";

/**
 * Sees to what a dead process has left: what it was running waits again, or is lost; what somebody there waited for ends.
 *
 * @param retriesOf how many attempts more than one a job's runs have
 */
export function adopt(step: Step, process: string, retriesOf: (job: string) => number): void {
    for (const row of unfinished(step, `process = ? AND ${LEFT}`, [process])) {
        const mayRunAgain = row.kind === 'slot' || row.run.attempt <= retriesOf(row.run.job);
        const isWanted = row.origin !== 'waiter' && !row.isToEnd;
        if (mayRunAgain && isWanted)
            step.database.statement("UPDATE bot_runs SET state = 'waiting' WHERE seq = ?").run([row.seq]);
        else endRow(step, row, PROCESS_DIED, row.state === 'running' ? 'lost' : 'aborted');
    }
}

/**
 * Gives up the runs of a lane whose processes are provably gone: who stands at a terminal need not wait until a bot, if one
 * is started at all, has found that out. None of them is run again.
 */
export function giveUpGone(step: Step, job: string, lane: string): void {
    const place = step.database.statement('SELECT place, pid FROM bot_processes WHERE id = ?');
    for (const row of unfinished(step, `job = ? AND lane = ? AND ${LEFT}`, [job, lane])) {
        const process = place.get([row.process]) as Pick<Owner, 'place' | 'pid'> | undefined;
        if (process && isGone(process))
            endRow(step, row, PROCESS_DIED, row.state === 'running' ? 'lost' : 'aborted');
    }
}

/** Ends rows that wait, have never started, and come from a schedule of a job. */
export function giveUpWaiting(
    step: Step,
    job: string,
    where: string,
    values: readonly SqlValue[],
    reason: string,
): void {
    const isIt = `job = ? AND ${where} AND attempt = 0 AND origin = 'schedule' AND state <> 'running'`;
    for (const row of unfinished(step, isIt, [job, ...values])) endRow(step, row, reason);
}

/** Ends whatever waits, because nobody else will ever take it. */
export function giveUpAll(step: Step): void {
    for (const row of unfinished(step, "state <> 'running' ORDER BY seq", [])) endRow(step, row, 'stopping');
}

function mine({ seq, run }: StoredRow, by: Owner): SqlValue[] {
    return [seq, by.id, run.attempt];
}
