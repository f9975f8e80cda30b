import type { Owner } from '../owner.js';
import type { Database } from './database.js';

/** Shows that a process is alive, at a time in unix milliseconds: its counter goes up. */
export function beat(database: Database, owner: Owner, now: number): void {
    database
        .statement(
            `INSERT INTO processes (id, host, pid, started_at, beat) VALUES (?, ?, ?, ?, 0)
            ON CONFLICT DO UPDATE SET beat = beat + 1`,
        )
        .run([owner.id, owner.host, owner.pid, Math.floor(now)]);
}

/** The counters of all processes, by their ids, those included that are only known by the runs they left behind. */
export function beats(database: Database): Map<string, number> {
    const rows = database
        .statement(
            `SELECT id, beat FROM processes
            UNION ALL
            SELECT DISTINCT process, -1 FROM runs
                WHERE outcome IS NULL AND process NOT IN (SELECT id FROM processes)`,
        )
        .all([]);
    return new Map(rows.map((row) => [row['id'] as string, row['beat'] as number]));
}

/** Forgets a process that has ended or died. */
export function forgetProcess(database: Database, id: string): void {
    database.statement('DELETE FROM processes WHERE id = ?').run([id]);
}
