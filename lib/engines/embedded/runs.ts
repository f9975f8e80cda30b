import { ALL_JOBS, type ClaimAnswer } from '../../runs/engine.js';
import { laneOf, type Outcome, type Run, type TenantId } from '../../runs/run.js';
import type { Json } from '../../schedule/args.js';
import type { Owner } from '../owner.js';
import { isGone } from '../process_life.js';
import type { Database, Row, SqlValue } from './database.js';

/** Why a run is lost. */
export const PROCESS_DIED = 'its process died';

/** A run that has started and not ended, as the journal has it. */
export interface UnfinishedRun {
    readonly run: Run;
    readonly seq: number;
    /** Its place among the runs of its slot; null for a manual run. */
    readonly claim: number | null;
}

const COLUMNS =
    'id, job, lane, claim, schedule, args, tenant, scheduled_at, started_at, attempt, host, pid, process';

// The claim, and the record of the run, in one statement. Releases with the same major version of the schema share it.
const CLAIM = `
    INSERT INTO runs (${COLUMNS})
    SELECT ?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11
    WHERE NOT EXISTS (SELECT 1 FROM pauses WHERE job IN (?2, '${ALL_JOBS}'))
        AND NOT EXISTS (SELECT 1 FROM skips
            WHERE lane = ?3 AND last >= ?7 AND first <= ?7 AND reason = 'overlap' AND schedule IS ?4)
        AND (?12 = 0 OR NOT EXISTS (SELECT 1 FROM runs
            WHERE lane = ?3 AND outcome IS NULL AND process <> ?11))
        AND (?12 = 0 OR NOT EXISTS (SELECT 1 FROM runs
            WHERE lane = ?3 AND scheduled_at > ?7 AND claim IS NOT NULL))
    ON CONFLICT DO NOTHING`;

const START_MANUAL = `
    INSERT INTO runs (${COLUMNS})
    SELECT ?1, ?2, ?3, NULL, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11
    WHERE ?12 = 0 OR NOT EXISTS (SELECT 1 FROM runs
        WHERE lane = ?3 AND outcome IS NULL AND process <> ?11)`;

/** A claim, answered: the number of the run's row where it was granted. */
export type Claim = { answer: Exclude<ClaimAnswer, 'granted'> } | { answer: 'granted'; seq: number };

/**
 * Claims a run's slot, and records that it starts; or only records it, where it is manual.
 *
 * @param database within a transaction
 * @param run the run
 * @param by who asks
 * @param rules when, in unix milliseconds, and whether its lane must be free
 * @returns the answer
 */
export function claimRun(
    database: Database,
    run: Run,
    by: Owner,
    rules: { at: number; isExclusive: boolean },
): Claim {
    const values = [...identity(run), whole(rules.at), by.host, by.pid, by.id, rules.isExclusive ? 1 : 0];
    const made = database.statement(run.manual ? START_MANUAL : CLAIM).run(values);
    if (made.changes > 0) return { answer: 'granted', seq: made.lastInsertRowid };
    return { answer: run.manual ? 'busy' : reasonOfRefusal(database, run, by) };
}

// In the order in which it is good to know them: what has been decided about the slot comes first.
function reasonOfRefusal(database: Database, run: Run, by: Owner): Exclude<ClaimAnswer, 'granted'> {
    const lane = laneOf(run);
    const slot = run.scheduledAt ?? null;
    const isTrue = (sql: string, ...values: SqlValue[]) =>
        database.statement(`SELECT EXISTS (${sql}) AS it`).get(values)?.['it'] === 1;
    if (
        isTrue('SELECT 1 FROM runs WHERE lane = ? AND scheduled_at = ? AND claim IS NOT NULL', lane, slot) ||
        isTrue(
            "SELECT 1 FROM skips WHERE lane = ?1 AND last >= ?2 AND first <= ?2 AND reason = 'overlap' AND schedule IS ?3",
            lane,
            slot,
            run.schedule ?? null,
        )
    )
        return 'taken';
    if (isTrue(`SELECT 1 FROM pauses WHERE job IN (?, '${ALL_JOBS}')`, run.job)) return 'paused';
    if (isTrue('SELECT 1 FROM runs WHERE lane = ? AND outcome IS NULL AND process <> ?', lane, by.id))
        return 'busy';
    return 'superseded';
}

/** Records the attempt that a run is at. */
export function recordAttempt(database: Database, seq: number, attempt: number): void {
    database.statement('UPDATE runs SET attempt = ? WHERE seq = ? AND outcome IS NULL').run([attempt, seq]);
}

/**
 * Records how a run ended.
 *
 * @param database within a transaction
 * @param seq the number of its row
 * @param run the run, with its outcome
 * @returns false where it had been given up as lost before: that stands, with a note on what came after
 */
export function recordOutcome(database: Database, seq: number, run: Run): boolean {
    const ended = database.statement(
        `UPDATE runs SET attempt = ?, started_at = coalesce(?, started_at), ended_at = ?, outcome = ?, reason = ?,
            error = ?, stack = ? WHERE seq = ? AND outcome IS NULL`,
    );
    if (ended.run([Math.max(1, run.attempt), whole(run.startedAt), ...ending(run), seq]).changes > 0)
        return true;
    const note = `given up as lost, but its process went on: ${run.outcome ?? 'lost'}`;
    database.statement(`UPDATE runs SET reason = ? WHERE seq = ? AND outcome = 'lost'`).run([note, seq]);
    return false;
}

/** Records a run that ended without having started, or of which the start could not be recorded. */
export function recordEndedRun(database: Database, run: Run, by: Owner): void {
    const start = whole(run.startedAt ?? run.endedAt ?? 0);
    database
        .statement(
            `INSERT INTO runs (${COLUMNS}, ended_at, outcome, reason, error, stack)
            VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run([...identity(run), start, Math.max(1, run.attempt), by.host, by.pid, by.id, ...ending(run)]);
}

/** The runs that a process has started and not ended. */
export function unfinishedRunsOf(database: Database, process: string): UnfinishedRun[] {
    return database
        .statement(`SELECT seq, ${COLUMNS} FROM runs WHERE outcome IS NULL AND process = ? ORDER BY seq`)
        .all([process])
        .map(unfinished);
}

/**
 * Gives up the runs in a lane whose processes are gone: who stands at a terminal need not wait until a bot, if one is
 * started at all, has found that out. None of them is run again.
 *
 * @param database within a transaction
 * @param lane which
 * @param at the time in unix milliseconds
 * @returns the runs, lost
 */
export function giveUpGoneRuns(database: Database, lane: string, at: number): Run[] {
    return database
        .statement(`SELECT seq, ${COLUMNS} FROM runs WHERE outcome IS NULL AND lane = ? ORDER BY seq`)
        .all([lane])
        .filter((row) => isGone({ host: row['host'] as string, pid: row['pid'] as number }))
        .map(unfinished)
        .filter((lost) => giveUpRun(database, lost, at).isLost)
        .map(({ run }) => run);
}

/**
 * Gives up a run whose process died, and, where it is to be run again, starts the next one in the same step: nobody can
 * come between, and a slot is run again by one process only.
 *
 * @param database within a transaction
 * @param lost the run
 * @param at the time in unix milliseconds
 * @param again the run that takes its place, and whose it is; undefined: none
 * @returns whether it was given up here, and the number of the new run's row
 */
export function giveUpRun(
    database: Database,
    lost: UnfinishedRun,
    at: number,
    again?: { run: Run; by: Owner },
): { isLost: boolean; seq?: number } {
    const { changes } = database
        .statement(
            `UPDATE runs SET outcome = 'lost', reason = ?, ended_at = ? WHERE seq = ? AND outcome IS NULL`,
        )
        .run([PROCESS_DIED, whole(at), lost.seq]);
    if (changes === 0) return { isLost: false };
    if (!again) return { isLost: true };
    const { run, by } = again;
    const claim = lost.claim === null ? null : lost.claim + 1;
    const [id, job, lane, ...rest] = identity(run);
    const made = database
        .statement(`INSERT INTO runs (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
        .run([id, job, lane, claim, ...rest, whole(at), lost.run.attempt + 1, by.host, by.pid, by.id]);
    return { isLost: true, seq: made.lastInsertRowid };
}

function identity(run: Run): [string, string, string, string | null, string, string | null, number | null] {
    return [
        run.id,
        run.job,
        laneOf(run),
        run.schedule ?? null,
        JSON.stringify(run.args),
        run.tenant === undefined ? null : JSON.stringify(run.tenant),
        run.scheduledAt ?? null,
    ];
}

// Clocks have fractions of a millisecond, the columns have not.
function whole(milliseconds: number | undefined): number | null {
    return milliseconds === undefined ? null : Math.floor(milliseconds);
}

function ending({ endedAt, outcome, reason, error }: Run): SqlValue[] {
    return [
        whole(endedAt),
        outcome ?? 'lost',
        reason ?? null,
        error ? `${error.name}: ${error.message}` : null,
        error?.stack ?? null,
    ];
}

function unfinished(row: Row): UnfinishedRun {
    return {
        seq: row['seq'] as number,
        claim: row['claim'] as number | null,
        run: {
            id: row['id'] as string,
            job: row['job'] as string,
            file: undefined,
            schedule: (row['schedule'] as string | null) ?? undefined,
            args: JSON.parse(row['args'] as string) as Json[],
            tenant: row['tenant'] === null ? undefined : (JSON.parse(row['tenant'] as string) as TenantId),
            scheduledAt: (row['scheduled_at'] as number | null) ?? undefined,
            manual: row['claim'] === null,
            attempt: row['attempt'] as number,
            startedAt: row['started_at'] as number,
            endedAt: undefined,
            outcome: undefined as Outcome | undefined,
            reason: undefined,
            error: undefined,
        },
    };
}
