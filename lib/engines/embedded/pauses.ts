import { ALL_JOBS, type Pause } from '../../runs/pause.js';
import type { Database } from './database.js';
import { free } from './lanes.js';
import { giveUpWaiting } from './queue.js';
import { type Step, unfinished } from './rows.js';

/** The pauses, by job. One that has ended by itself stays: slots of its time may yet come as missed. */
export function pausesIn(database: Database): Pause[] {
    const rows = database.statement('SELECT * FROM bot_pauses ORDER BY job').all([]);
    return rows.map((row) => ({
        job: row['job'] as string,
        pausedAt: row['paused_at'] as number,
        until: (row['until'] as number | null) ?? undefined,
        reason: (row['reason'] as string | null) ?? undefined,
        by: (row['by'] as string | null) ?? undefined,
    }));
}

/** Pauses a job, or `ALL_JOBS`: what its schedules made and never started is skipped; whatever else waits, waits until the end. */
export function pause(step: Step, { job, pausedAt, until, reason, by }: Pause): void {
    const { database } = step;
    database
        .statement('REPLACE INTO bot_pauses (job, paused_at, until, reason, by) VALUES (?, ?, ?, ?, ?)')
        .run([job, pausedAt, until ?? null, reason ?? null, by ?? null]);
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
    const isEnding = `?1 IN (bot_pauses.job, '${ALL_JOBS}') AND (until IS NULL OR until > ?2)`;
    database
        .statement(
            `UPDATE bot_schedules SET handled_until = ?3 WHERE handled_until < ?3 AND EXISTS (SELECT 1 FROM bot_pauses
                WHERE bot_pauses.job IN (bot_schedules.job, '${ALL_JOBS}') AND ${isEnding})`,
        )
        .run([job, now, Math.floor(now / 1000)]);
    database.statement(`DELETE FROM bot_pauses WHERE ${isEnding}`).run([job, now]);
}

function unfinishedJobs(database: Database): string[] {
    const rows = database.statement('SELECT DISTINCT job FROM bot_runs WHERE ended_at IS NULL').all([]);
    return rows.map((row) => row['job'] as string);
}
