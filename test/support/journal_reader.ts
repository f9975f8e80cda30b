import { Database } from '../../lib/engines/embedded/database.js';

/** A slot that the journal explains: by a run, or by a record of why there was none. */
export interface Explanation {
    readonly job: string;
    readonly slot: number;
    readonly tenant: string | null;
    /** The state of an unfinished one: `waiting`, `delayed`, `blocked` or `running`. */
    readonly outcome: string;
    readonly process: string;
    readonly reason: string | null;
    readonly attempt: number;
}

/** Why some slots of a job did not run. */
export interface Skips {
    readonly job: string;
    readonly tenant: string | null;
    readonly reason: string;
    readonly first: number;
    readonly last: number;
    readonly count: number;
}

const RUNS = `SELECT job, slot, tenant, state AS outcome, process, reason, attempt
    FROM bot_runs WHERE state <> 'fanned_out' ORDER BY seq`;
const SKIPS = 'SELECT job, tenant, reason, first, last, count FROM bot_skips ORDER BY seq';

/** Reads a journal's file, and whether it is whole. */
export async function readJournal(path: string) {
    const database = new Database(path);
    const read = <Row>(query: string) =>
        database
            .statement(query)
            .all([])
            .map((row) => ({ ...row, tenant: JSON.parse(String(row['tenant'])) }) as Row);
    try {
        const integrity = database.statement('PRAGMA integrity_check').get([])?.['integrity_check'];
        return { integrity, runs: read<Explanation>(RUNS), skips: read<Skips>(SKIPS) };
    } finally {
        database.close();
    }
}

/** Sets back what is handled, as if no bot had run for a while. */
export async function pretendOutage(path: string, seconds: number): Promise<void> {
    const database = new Database(path);
    database.transaction(() => {
        database.statement('UPDATE bot_schedules SET handled_until = handled_until - ?').run([seconds]);
        database.statement('UPDATE bot_processes SET enqueued_until = enqueued_until - ?').run([seconds]);
        database.exec('DELETE FROM bot_runs; DELETE FROM bot_skips');
    });
    database.close();
}
