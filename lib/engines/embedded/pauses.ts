import { ALL_JOBS } from '../../runs/engine.js';
import type { Database } from './database.js';
import { free } from './lanes.js';
import { giveUpWaiting } from './queue.js';
import { type Step, unfinished } from './rows.js';

/** The paused jobs, by name; `ALL_JOBS` where all are. */
export function pausedJobs(database: Database): Set<string> {
    const rows = database.statement('SELECT job FROM bot_pauses ORDER BY job').all([]);
    return new Set(rows.map((row) => row['job'] as string));
}

/** Pauses a job, or `ALL_JOBS`: what its schedules made and never started is skipped; whatever else waits, waits until the end. */
export function pause(step: Step, job: string): void {
    const { database, now } = step;
    database
        .statement('INSERT OR IGNORE INTO bot_pauses (job, paused_at) VALUES (?, ?)')
        .run([job, Math.floor(now)]);
    const putOff = database.statement(
        `UPDATE bot_runs INDEXED BY bot_unfinished SET state = 'delayed' WHERE job = ? AND ended_at IS NULL
        AND state IN ('waiting', 'blocked') AND origin <> 'waiter'`,
    );
    for (const name of job === ALL_JOBS ? unfinishedJobs(database) : [job]) {
        giveUpWaiting(step, name, '1', [], 'paused');
        putOff.run([name]);
        // Somebody may wait behind a run that has just been put off.
        const blocked = unfinished(step, "job = ? AND state = 'blocked'", [name]);
        for (const row of new Map(blocked.map((row) => [row.lane, row])).values()) free(step, row);
    }
}

/** Ends a job's pause, or all. Slots that came in the meantime do not run, not even those of a time in which no bot ran. */
export function resume({ database, now }: Step, job: string): void {
    database
        .statement(
            `UPDATE bot_schedules SET handled_until = ?2 WHERE handled_until < ?2 AND EXISTS (SELECT 1 FROM bot_pauses
                WHERE bot_pauses.job IN (bot_schedules.job, '${ALL_JOBS}') AND ?1 IN (bot_pauses.job, '${ALL_JOBS}'))`,
        )
        .run([job, Math.floor(now / 1000)]);
    database.statement(`DELETE FROM bot_pauses WHERE ?1 IN (job, '${ALL_JOBS}')`).run([job]);
}

function unfinishedJobs(database: Database): string[] {
    const rows = database.statement('SELECT DISTINCT job FROM bot_runs WHERE ended_at IS NULL').all([]);
    return rows.map((row) => row['job'] as string);
}
