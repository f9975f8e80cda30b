import type { Database, SqlValue } from './database.js';

/**
 * Carries over from one journal to another what must not be forgotten: what has not ended, what has ended since some time,
 * pauses, and up to where schedules are handled (the later of both).
 *
 * @param to within a transaction
 * @param since unix milliseconds: what ended before is left where it is
 * @returns the numbers that unfinished rows have there, by run id
 */
export function carryOver(from: Database, to: Database, since: number): Map<string, number> {
    const seqs = new Map<string, number>();
    const copy = (
        table: string,
        which: string,
        values: SqlValue[],
        onConflict = 'ON CONFLICT DO NOTHING',
    ) => {
        for (const { seq: _, ...row } of from.statement(`SELECT * FROM ${table} ${which}`).all(values)) {
            const names = Object.keys(row);
            const sql = `INSERT INTO ${table} (${names.join()}) SELECT ${names.map(() => '?').join()} WHERE true`;
            const made = to.statement(`${sql} ${onConflict}`).run(Object.values(row));
            if (table === 'bot_runs' && made.changes > 0 && row['ended_at'] === null)
                seqs.set(row['id'] as string, made.lastInsertRowid);
        }
    };
    copy('bot_runs', 'WHERE ended_at IS NULL OR ended_at >= ? ORDER BY seq', [since]);
    copy('bot_skips', 'WHERE last >= ? ORDER BY seq', [Math.floor(since / 1000)]);
    copy('bot_pauses', '', []);
    const later = 'handled_until = max(handled_until, excluded.handled_until)';
    copy('bot_schedules', '', [], `ON CONFLICT DO UPDATE SET ${later}`);
    copy('bot_processes', '', []);
    return seqs;
}
