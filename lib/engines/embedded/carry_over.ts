import type { Database, Row, SqlValue } from './database.js';

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
    for (const { seq: _, ...row } of rowsOf(
        from,
        'bot_runs WHERE ended_at IS NULL OR ended_at >= ? ORDER BY seq',
        since,
    )) {
        const seq = insert(to, 'bot_runs', row, 'ON CONFLICT DO NOTHING');
        if (seq !== undefined && row['ended_at'] === null) seqs.set(row['id'] as string, seq);
    }
    for (const { seq: _, ...row } of rowsOf(
        from,
        'bot_skips WHERE last >= ? ORDER BY seq',
        Math.floor(since / 1000),
    ))
        insert(to, 'bot_skips', row, '');
    for (const row of rowsOf(from, 'bot_pauses')) insert(to, 'bot_pauses', row, 'ON CONFLICT DO NOTHING');
    for (const row of rowsOf(from, 'bot_schedules'))
        insert(
            to,
            'bot_schedules',
            row,
            'ON CONFLICT DO UPDATE SET handled_until = max(handled_until, excluded.handled_until)',
        );
    for (const row of rowsOf(from, 'bot_processes'))
        insert(to, 'bot_processes', row, 'ON CONFLICT DO NOTHING');
    return seqs;
}

function rowsOf(database: Database, what: string, ...values: SqlValue[]): Row[] {
    return database.statement(`SELECT * FROM ${what}`).all(values);
}

function insert(database: Database, table: string, row: Row, onConflict: string): number | undefined {
    const names = Object.keys(row);
    const made = database
        .statement(
            `INSERT INTO ${table} (${names.join()}) SELECT ${names.map(() => '?').join()} WHERE true ${onConflict}`,
        )
        .run(Object.values(row));
    return made.changes > 0 ? made.lastInsertRowid : undefined;
}
