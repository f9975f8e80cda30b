import type { Schedule } from '../../schedule/schedule.js';
import { SAME_STEP } from '../records.js';
import type { Database } from './database.js';

/**
 * Up to which second all slots of each schedule are decided, by its key. One that is new is handled until now.
 *
 * @param database within a transaction
 * @param now unix second
 */
export function handledUntil(
    database: Database,
    schedules: readonly Pick<Schedule, 'key' | 'job'>[],
    now: number,
): Map<string, number> {
    const see = database.statement(
        'INSERT OR IGNORE INTO schedules (key, job, settled_until) VALUES (?, ?, ?)',
    );
    const look = database.statement('SELECT settled_until FROM schedules WHERE key = ?');
    const found = new Map<string, number>();
    for (const { key, job } of schedules) {
        const row = look.get([key]);
        if (!row) see.run([key, job, now]);
        found.set(key, (row?.['settled_until'] as number | undefined) ?? now);
    }
    return found;
}

/** Records that a schedule is handled until a unix second. It never goes back. */
export function recordHandled(
    database: Database,
    schedule: Pick<Schedule, 'key' | 'job'>,
    until: number,
): void {
    database
        .statement(
            `INSERT INTO schedules (key, job, settled_until) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET settled_until = max(settled_until, excluded.settled_until)`,
        )
        .run([schedule.key, schedule.job, until]);
}

/** The latest second until which any schedule is handled; undefined: there is none. */
export function latestHandled(database: Database): number | undefined {
    const row = database.statement('SELECT max(settled_until) AS latest FROM schedules').get([]);
    return (row?.['latest'] as number | null) ?? undefined;
}

/**
 * Voids what was claimed and recorded for slots after a unix second, which come again because the clock was set back. Only
 * the first process that finds this does it: the others would void what that one has claimed since.
 *
 * @param database within a transaction
 */
export function voidAfter(database: Database, second: number): void {
    const known = database.statement('SELECT set_back_to FROM clock_steps ORDER BY seq DESC LIMIT 1').get([]);
    const last = known?.['set_back_to'] as number | undefined;
    if (last !== undefined && second >= last && second <= last + SAME_STEP) return;
    database.statement('INSERT INTO clock_steps (set_back_to) VALUES (?)').run([second]);
    database
        .statement('UPDATE runs SET claim = NULL WHERE scheduled_at > ? AND claim IS NOT NULL')
        .run([second]);
    database.statement('DELETE FROM skips WHERE last > ?').run([second]);
    database.statement('UPDATE schedules SET settled_until = ?1 WHERE settled_until > ?1').run([second]);
}
