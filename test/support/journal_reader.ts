import { Database } from '../../lib/engines/embedded/database.js';

/** A slot that the journal explains: by a run, or by a record of why there was none. */
export interface Explanation {
    readonly job: string;
    readonly slot: number;
    readonly tenant: string | null;
    readonly outcome: string;
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
                .statement('SELECT * FROM runs ORDER BY seq')
                .all([])
                .map((row) => ({
                    job: row['job'] as string,
                    slot: row['scheduled_at'] as number,
                    tenant: text(row['tenant']),
                    outcome: String(row['outcome'] ?? 'unfinished'),
                    reason: row['reason'] as string | null,
                    attempt: row['attempt'] as number,
                })),
            skips: database
                .statement('SELECT * FROM skips ORDER BY seq')
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

/** Sets back what is settled, as if no bot had run for a while. */
export async function pretendOutage(path: string, seconds: number): Promise<void> {
    const database = new Database(path);
    database.transaction(() => {
        database.statement('UPDATE schedules SET settled_until = settled_until - ?').run([seconds]);
        database.exec('DELETE FROM runs; DELETE FROM skips');
    });
    database.close();
}
