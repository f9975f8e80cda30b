import { chmodSync, existsSync, renameSync } from 'node:fs';
import { Database, type Identity, identityOf, kindOf } from './database.js';
import { APPLICATION_ID, createTables, MAJOR, TABLES, VERSION } from './schema.js';

/** The file at the journal's path is somebody else's, or too new: it is not touched. */
export class RefusedJournalError extends Error {
    override readonly name = 'RefusedJournalError';
}

export interface OpenFile {
    readonly database: Database;
    readonly path: string;
    /** The schema's; higher than `VERSION` where a newer release has changed it. */
    readonly version: number;
    /** Where a corrupt file was put that stood in its place. */
    readonly setAside: string | undefined;
    readonly identity: Identity;
}

/**
 * Opens a journal's file, makes it where there is none, and migrates it. A corrupt one is set aside: renamed, never deleted.
 *
 * @throws RefusedJournalError, which changes nothing; what libsql throws where it is locked or cannot be written
 */
export function openFile(path: string): OpenFile {
    const judged = identityOf(path);
    try {
        return open(path, undefined);
    } catch (error) {
        if (kindOf(error) !== 'corrupt') throw error;
        // Another process may have put a new one there since.
        if (identityOf(path).file !== judged.file) return open(path, undefined);
        const aside = `${path}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
        for (const suffix of ['', '-wal', '-shm'])
            if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
        return open(path, aside);
    }
}

/** Opens a journal's file, if there is one, to read what another process has written; throws where it is none of this release. */
export function openForReading(path: string): Database | undefined {
    if (!existsSync(path)) return undefined;
    const database = new Database(path);
    judge(database, path);
    if (database.pragma('user_version') < VERSION)
        throw new Error("it is an earlier release's, and is carried over when a bot starts");
    return database;
}

function open(path: string, setAside: string | undefined): OpenFile {
    const database = privately(() => new Database(path));
    judge(database, path);
    chmodSync(path, 0o600);
    database.useWriteAheadLog();
    if (isFirstEdition(database)) carryOverFirstEdition(database, path);
    database.transaction(createTables);
    const version = database.pragma('user_version');
    // A file that can only be read gives itself away no sooner than at a write; and its log is there from then on.
    database.transaction(() => database.exec(`PRAGMA user_version = ${version}`));
    return { database, path, version, setAside, identity: identityOf(path) };
}

// SQLite gives a file's log and its shared memory the mode of the file.
function privately<T>(work: () => T): T {
    const umask = process.umask(0o077);
    try {
        return work();
    } finally {
        process.umask(umask);
    }
}

function judge(database: Database, path: string): void {
    const tables = database.tables;
    if (database.pragma('application_id') === APPLICATION_ID) {
        const version = database.pragma('user_version');
        if (version >= 3 * MAJOR)
            throw new RefusedJournalError(
                `The journal ${path} is a newer release's (version ${version}, this one knows ${VERSION}): nothing runs here until this process is updated, too.`,
            );
        const missing = TABLES.filter((table) => !tables.includes(table));
        if (version >= 2 * MAJOR && missing.length > 0)
            throw new CorruptJournalError(`it has no ${missing[0]}`);
        return;
    }
    if (tables.length > 0 && !isFirstEdition(database))
        throw new RefusedJournalError(
            `The file ${path} is no journal, but another database (with ${tables.slice(0, 3).join(', ')}): nothing in it was changed. Give \`bot.journal.filename\` another name.`,
        );
}

/** A journal that lacks something; SQLite itself sees no fault in it. */
class CorruptJournalError extends Error {
    /** As SQLite has it: SQLITE_CORRUPT. */
    readonly rawCode = 11;
}

/** The tables of the first edition's journal. */
const FIRST_EDITION = ['clock_steps', 'pauses', 'processes', 'runs', 'schedules', 'skips'];

/** Whether a database is a journal of the first edition, and nothing else. */
function isFirstEdition(database: Database): boolean {
    const version = database.pragma('user_version');
    return version >= 1000 && version < 2000 && FIRST_EDITION.join() === [...database.tables].sort().join();
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
function carryOverFirstEdition(database: Database, path: string): void {
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
