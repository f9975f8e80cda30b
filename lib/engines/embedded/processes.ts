import type { Owner } from '../owner.js';
import type { Database } from './database.js';

/** What processes that are no more have enqueued is remembered under this name. */
export const GONE = 'gone';

/**
 * Shows that a process is alive: its counter goes up.
 *
 * @param database within a transaction
 * @param now unix milliseconds
 * @param enqueuedUntil up to which second it has enqueued; undefined: it does not schedule
 */
export function beat(database: Database, owner: Owner, now: number, enqueuedUntil: number | undefined): void {
    database
        .statement(
            `INSERT INTO bot_processes (id, host, pid, place, started_at, beat, enqueued_until) VALUES (?, ?, ?, ?, ?, 0, ?)
            ON CONFLICT DO UPDATE SET beat = beat + 1, enqueued_until = excluded.enqueued_until`,
        )
        .run([owner.id, owner.host, owner.pid, owner.place, Math.floor(now), enqueuedUntil ?? null]);
}

/**
 * The counters of all processes, those included that are only known by what they have left.
 *
 * @returns a counter by process
 */
export function beats(database: Database): Map<string, number> {
    const rows = database
        .statement(
            `SELECT id, beat FROM bot_processes WHERE id <> '${GONE}'
            UNION ALL
            SELECT DISTINCT process, -1 FROM bot_runs
                WHERE ended_at IS NULL AND (state = 'running' OR origin = 'waiter')
                AND process NOT IN (SELECT id FROM bot_processes)`,
        )
        .all([]);
    return new Map(rows.map((row) => [row['id'] as string, row['beat'] as number]));
}

/**
 * Forgets a process that has ended or died, but not up to which second it has enqueued.
 *
 * @param database within a transaction
 */
export function forgetProcess(database: Database, id: string): void {
    database
        .statement(
            `INSERT INTO bot_processes (id, host, pid, place, started_at, beat, enqueued_until)
            SELECT '${GONE}', host, pid, place, started_at, 0, enqueued_until FROM bot_processes
                WHERE id = ? AND enqueued_until IS NOT NULL
            ON CONFLICT DO UPDATE SET enqueued_until = max(enqueued_until, excluded.enqueued_until)`,
        )
        .run([id]);
    database.statement('DELETE FROM bot_processes WHERE id = ?').run([id]);
}
