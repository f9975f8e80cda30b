import { existsSync } from 'node:fs';
import type { Database } from './database.js';
import { createTables } from './schema.js';

/** The tables of the first edition's journal. */
const FIRST_EDITION = ['clock_steps', 'pauses', 'processes', 'runs', 'schedules', 'skips'];

/** Whether a database is a journal of the first edition, and nothing else. */
export function isFirstEdition(database: Database): boolean {
    const { version, tables } = database;
    return version >= 1000 && version < 2000 && FIRST_EDITION.join() === [...tables].sort().join();
}

const HISTORY = `INSERT INTO bot_runs (id, kind, state, job, schedule, args, tenant, slot, origin, lane, holds, overlap, missed,
        catches_up, batch, order_at, position, run_at, attempt, started_at, ended_at, reason, error, stack, process, host, pid)
    SELECT id, 'run', coalesce(outcome, 'lost'), job, schedule, args, tenant, scheduled_at,
        CASE WHEN claim IS NULL THEN 'waiter' ELSE 'schedule' END, lane, 1, 'skip', 'once', 0, 0,
        coalesce(scheduled_at, started_at / 1000), 0, started_at, max(1, attempt), started_at,
        coalesce(ended_at, started_at), CASE WHEN outcome IS NULL THEN 'its process died' ELSE reason END,
        error, stack, process, host, pid
    FROM runs ORDER BY seq`;

/**
 * Carries a journal of the first edition over: its history, its pauses, and up to where its schedules are handled. A copy
 * stays beside it, as `….v1`. A process of the first edition that still runs finds its tables gone, and runs nothing more.
 */
export function carryOverFirstEdition(database: Database, path: string): void {
    const copy = `${path}.v1`;
    if (!existsSync(copy)) database.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`);
    database.transaction(() => {
        if (!isFirstEdition(database)) return;
        createTables(database);
        database.exec(`
            ${HISTORY};
            INSERT INTO bot_skips (job, lane, schedule, args, tenant, reason, first, last, count, at_least, host, pid)
                SELECT job, lane, schedule, args, tenant, reason, first, last, count, at_least, host, pid FROM skips ORDER BY seq;
            INSERT INTO bot_schedules (key, job, handled_until) SELECT key, job, settled_until FROM schedules;
            INSERT INTO bot_pauses (job, paused_at) SELECT job, paused_at * 1000 FROM pauses;
            INSERT INTO bot_processes (id, host, pid, place, started_at, beat, enqueued_until)
                SELECT 'gone', '', 0, '', 0, 0, max(settled_until) FROM schedules;
            ${FIRST_EDITION.map((table) => `DROP TABLE ${table};`).join('\n')}
        `);
    });
}
