import { ALL_JOBS } from '../../runs/engine.js';
import type { Database } from './database.js';

/** The paused jobs, by name; `ALL_JOBS` where all are. */
export function pausedJobs(database: Database): Set<string> {
    return new Set(
        database
            .statement('SELECT job FROM pauses ORDER BY job')
            .all([])
            .map((row) => row['job'] as string),
    );
}

/** Pauses a job, or `ALL_JOBS`, from a unix second on. */
export function pause(database: Database, job: string, now: number): void {
    database.statement('INSERT OR IGNORE INTO pauses (job, paused_at) VALUES (?, ?)').run([job, now]);
}

/**
 * Ends a job's pause, or with `ALL_JOBS` every one. Its schedules are handled until now, a unix second: resuming replays
 * nothing, not even what would have come while no bot ran.
 */
export function resume(database: Database, job: string, now: number): void {
    database
        .statement(
            `UPDATE schedules SET settled_until = ?2 WHERE settled_until < ?2 AND EXISTS (SELECT 1 FROM pauses
                WHERE pauses.job IN (schedules.job, '${ALL_JOBS}') AND ?1 IN (pauses.job, '${ALL_JOBS}'))`,
        )
        .run([job, now]);
    database.statement(`DELETE FROM pauses WHERE ?1 IN (job, '${ALL_JOBS}')`).run([job]);
}
