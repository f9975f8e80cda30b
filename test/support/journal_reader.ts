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

/** What a journal's file says, and whether it is whole. */
export interface JournalContents {
    readonly integrity: string;
    readonly runs: Explanation[];
    readonly skips: {
        job: string;
        tenant: string | null;
        reason: string;
        first: number;
        last: number;
        count: number;
    }[];
}

/** Reads a journal's file. */
export async function readJournal(path: string): Promise<JournalContents> {
    const database = new Database(path);
    try {
        const text = (value: unknown) => (value === null ? null : (JSON.parse(value as string) as string));
        return {
            integrity: String(database.statement('PRAGMA integrity_check').get([])?.['integrity_check']),
            runs: database
                .statement("SELECT * FROM bot_runs WHERE state <> 'fanned_out' ORDER BY seq")
                .all([])
                .map((row) => ({
                    job: row['job'] as string,
                    slot: row['slot'] as number,
                    tenant: text(row['tenant']),
                    outcome: row['state'] as string,
                    process: row['process'] as string,
                    reason: row['reason'] as string | null,
                    attempt: row['attempt'] as number,
                })),
            skips: database
                .statement('SELECT * FROM bot_skips ORDER BY seq')
                .all([])
                .map((row) => ({
                    job: row['job'] as string,
                    tenant: text(row['tenant']),
                    reason: row['reason'] as string,
                    first: row['first'] as number,
                    last: row['last'] as number,
                    count: row['count'] as number,
                })),
        };
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
