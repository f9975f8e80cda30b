import { ALL_JOBS, type ClaimAnswer } from '../../runs/engine.js';
import { createRun, laneOf, type Run, type TenantId } from '../../runs/run.js';
import type { Json } from '../../schedule/args.js';
import { isGone, type Owner } from '../owner.js';
import { errorOf, PROCESS_DIED } from '../records.js';
import type { Database, Row, SqlValue } from './database.js';

/** A run that has started and not ended, as the journal has it. */
export interface UnfinishedRun {
    readonly run: Run;
    readonly seq: number;
    /** Its place among the runs of its slot; null for a manual run. */
    readonly claim: number | null;
}

const COLUMNS =
    'id, job, lane, claim, schedule, args, tenant, scheduled_at, started_at, attempt, host, pid, process';

// ?1 id, ?2 job, ?3 lane, ?4 schedule, ?5 args, ?6 tenant, ?7 slot, ?8 start, ?9 host, ?10 pid, ?11 process.
const IS_CLAIMED = 'EXISTS (SELECT 1 FROM runs WHERE lane = ?3 AND scheduled_at = ?7 AND claim IS NOT NULL)';
const IS_SKIPPED = `EXISTS (SELECT 1 FROM skips
    WHERE lane = ?3 AND last >= ?7 AND first <= ?7 AND reason = 'overlap' AND schedule IS ?4)`;
const IS_PAUSED = `EXISTS (SELECT 1 FROM pauses WHERE job IN (?2, '${ALL_JOBS}'))`;
const IS_BUSY = 'EXISTS (SELECT 1 FROM runs WHERE lane = ?3 AND outcome IS NULL AND process <> ?11)';
const IS_SUPERSEDED =
    'EXISTS (SELECT 1 FROM runs WHERE lane = ?3 AND scheduled_at > ?7 AND claim IS NOT NULL)';

// The claim, and the record of the run, in one statement. Releases with the same major version of the schema share it.
const CLAIM = `
    INSERT INTO runs (${COLUMNS})
    SELECT ?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11
    WHERE NOT ${IS_PAUSED} AND NOT ${IS_SKIPPED} AND (?12 = 0 OR NOT (${IS_BUSY} OR ${IS_SUPERSEDED}))
    ON CONFLICT DO NOTHING`;

const START_MANUAL = `
    INSERT INTO runs (${COLUMNS})
    SELECT ?1, ?2, ?3, NULL, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11
    WHERE ?12 = 0 OR NOT ${IS_BUSY}`;

// In the order in which it is good to know them: what has been decided about the slot comes first.
const REFUSAL = `
    SELECT CASE WHEN ${IS_CLAIMED} OR ${IS_SKIPPED} THEN 'taken' WHEN ${IS_PAUSED} THEN 'paused'
        WHEN ${IS_BUSY} THEN 'busy' ELSE 'superseded' END AS answer`;

/** A claim, answered: the number of the run's row where it was granted. */
export type Claim = { answer: Exclude<ClaimAnswer, 'granted'> } | { answer: 'granted'; seq: number };

/**
 * Claims a run's slot, and records that it starts; or only records it, where it is manual.
 *
 * @param database within a transaction
 * @param by who asks
 * @param rules when, in unix milliseconds, and whether its lane must be free
 */
export function claimRun(
    database: Database,
    run: Run,
    by: Owner,
    { at, isExclusive }: { at: number; isExclusive: boolean },
): Claim {
    const values = [...identity(run), whole(at), by.host, by.pid, by.id];
    const made = database.statement(run.manual ? START_MANUAL : CLAIM).run([...values, isExclusive ? 1 : 0]);
    if (made.changes > 0) return { answer: 'granted', seq: made.lastInsertRowid };
    const refusal = run.manual ? 'busy' : database.statement(REFUSAL).get(values)?.['answer'];
    return { answer: refusal as Exclude<ClaimAnswer, 'granted'> };
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
    const row = insert(database, run, null, run.startedAt ?? run.endedAt ?? 0, by);
    recordOutcome(database, row, run);
}

/** The runs that a process has started and not ended. */
export function unfinishedRunsOf(database: Database, process: string): UnfinishedRun[] {
    return unfinishedRuns(database, 'process', process).map(unfinished);
}

/**
 * Gives up the runs in a lane whose processes are gone, none of which is run again: who stands at a terminal need not
 * wait until a bot, if one is started at all, has found that out.
 *
 * @param database within a transaction
 * @param at the time in unix milliseconds
 * @returns the runs, lost
 */
export function giveUpGoneRuns(database: Database, lane: string, at: number): Run[] {
    return unfinishedRuns(database, 'lane', lane)
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
 * @param at the time in unix milliseconds
 * @param again the run that takes its place, and whose it is; undefined: none
 * @returns whether it was given up here, and the number of the new run's row
 */
export function giveUpRun(
    database: Database,
    lost: UnfinishedRun,
    at: number,
    again?: { readonly run: Run; readonly by: Owner } | undefined,
): { isLost: boolean; row?: number } {
    const { changes } = database
        .statement(
            `UPDATE runs SET outcome = 'lost', reason = ?, ended_at = ? WHERE seq = ? AND outcome IS NULL`,
        )
        .run([PROCESS_DIED, whole(at), lost.seq]);
    if (changes === 0) return { isLost: false };
    if (!again) return { isLost: true };
    const claim = lost.claim === null ? null : lost.claim + 1;
    const next = { ...again.run, attempt: lost.run.attempt + 1 };
    return { isLost: true, row: insert(database, next, claim, at, again.by) };
}

/** What a row of runs, or of skips, is of. */
export function identityIn(row: Row): Pick<Run, 'job' | 'schedule' | 'args' | 'tenant'> {
    return {
        job: row['job'] as string,
        schedule: (row['schedule'] as string | null) ?? undefined,
        args: JSON.parse(row['args'] as string) as Json[],
        tenant: row['tenant'] === null ? undefined : (JSON.parse(row['tenant'] as string) as TenantId),
    };
}

function insert(database: Database, run: Run, claim: number | null, at: number, by: Owner): number {
    const [id, job, lane, ...rest] = identity(run);
    return database
        .statement(`INSERT INTO runs (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
        .run([id, job, lane, claim, ...rest, whole(at), Math.max(1, run.attempt), by.host, by.pid, by.id])
        .lastInsertRowid;
}

function unfinishedRuns(database: Database, column: 'process' | 'lane', value: string): Row[] {
    return database
        .statement(`SELECT seq, ${COLUMNS} FROM runs WHERE outcome IS NULL AND ${column} = ? ORDER BY seq`)
        .all([value]);
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

function ending(run: Run): SqlValue[] {
    const { error = null, stack = null } = errorOf(run);
    return [whole(run.endedAt), run.outcome ?? 'lost', run.reason ?? null, error, stack];
}

function unfinished(row: Row): UnfinishedRun {
    const claim = row['claim'] as number | null;
    const run = createRun({
        ...identityIn(row),
        id: row['id'] as string,
        scheduledAt: (row['scheduled_at'] as number | null) ?? undefined,
        manual: claim === null,
        attempt: row['attempt'] as number,
        startedAt: row['started_at'] as number,
    });
    return { run, claim, seq: row['seq'] as number };
}
