import { ALL_JOBS } from '../../runs/engine.js';
import type { Owner } from '../owner.js';
import type { Database } from './database.js';
import { type Consequence, free } from './lanes.js';
import { giveUpWaiting } from './queue.js';

/** The paused jobs, by name; `ALL_JOBS` where all are. */
export function pausedJobs(database: Database): Set<string> {
    const rows = database.statement('SELECT job FROM bot_pauses ORDER BY job').all([]);
    return new Set(rows.map((row) => row['job'] as string));
}

/**
 * Pauses a job: what its schedules made and never started is skipped; everything else that waits, waits until the end.
 *
 * @param database within a transaction
 * @param job its name, or `ALL_JOBS`
 * @param now unix milliseconds
 */
export function pause(database: Database, job: string, by: Owner, now: number): Consequence[] {
    database
        .statement('INSERT OR IGNORE INTO bot_pauses (job, paused_at) VALUES (?, ?)')
        .run([job, Math.floor(now)]);
    return unfinishedJobs(database, job).flatMap((name) => {
        const skipped = giveUpWaiting(database, name, '1', [], 'paused', by, now);
        database
            .statement(
                `UPDATE bot_runs INDEXED BY bot_unfinished SET state = 'delayed' WHERE job = ? AND ended_at IS NULL
                AND state IN ('waiting', 'blocked') AND origin <> 'waiter'`,
            )
            .run([name]);
        freeLanes(database, name);
        return skipped;
    });
}

/**
 * Ends a job's pause. Slots that came in the meantime do not run, not even those of a time in which no bot ran.
 *
 * @param database within a transaction
 * @param job its name, or `ALL_JOBS` for all pauses there are
 * @param now unix milliseconds
 */
export function resume(database: Database, job: string, now: number): void {
    database
        .statement(
            `UPDATE bot_schedules SET handled_until = ?2 WHERE handled_until < ?2 AND EXISTS (SELECT 1 FROM bot_pauses
                WHERE bot_pauses.job IN (bot_schedules.job, '${ALL_JOBS}') AND ?1 IN (bot_pauses.job, '${ALL_JOBS}'))`,
        )
        .run([job, Math.floor(now / 1000)]);
    database.statement(`DELETE FROM bot_pauses WHERE ?1 IN (job, '${ALL_JOBS}')`).run([job]);
}

// Somebody may wait behind a run that has just been put off.
function freeLanes(database: Database, job: string): void {
    const lanes = database
        .statement(
            `SELECT lane FROM bot_runs INDEXED BY bot_unfinished WHERE job = ? AND ended_at IS NULL AND holds = 1
            GROUP BY lane HAVING sum(state = 'blocked') > 0
            AND sum(state IN ('waiting', 'running') OR (state = 'delayed' AND attempt > 0)) = 0`,
        )
        .all([job]);
    for (const row of lanes) free(database, job, row['lane'] as string);
}

function unfinishedJobs(database: Database, job: string): string[] {
    if (job !== ALL_JOBS) return [job];
    const rows = database.statement('SELECT DISTINCT job FROM bot_runs WHERE ended_at IS NULL').all([]);
    return rows.map((row) => row['job'] as string);
}
