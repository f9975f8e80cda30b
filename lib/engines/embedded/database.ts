import { statSync } from 'node:fs';
import Libsql from 'libsql';

/** What a column holds. Never a boolean: libsql 0.5 aborts the whole process when it is given one. */
export type SqlValue = string | number | null;

export type Row = Record<string, SqlValue>;

export interface Statement {
    run(values: readonly SqlValue[]): { changes: number; lastInsertRowid: number };
    get(values: readonly SqlValue[]): Row | undefined;
    all(values: readonly SqlValue[]): Row[];
    /** From now on its rows are arrays, which takes a third of the time where there are many columns. */
    raw(): { all(values: readonly SqlValue[]): SqlValue[][] };
}

/** The name of a database without a file. */
export const MEMORY = ':memory:';

/**
 * One connection to a SQLite database. Everything is synchronous and waits for nothing: where another connection has
 * the lock, it throws at once.
 */
export class Database {
    readonly #connection: Libsql.Database;
    readonly #statements = new Map<string, Statement>();

    /** Opens a file, which is made where there is none, or `MEMORY`; throws what libsql throws, see `kindOf`. */
    constructor(path: string) {
        this.#connection = new Libsql(path);
        try {
            this.#connection.pragma('busy_timeout = 0');
        } catch (error) {
            this.#connection.close();
            throw error;
        }
        if (path === MEMORY) return;
        process.off('beforeExit', exitWithoutClosing);
        process.once('beforeExit', exitWithoutClosing);
    }

    /** Writers and readers do not wait for one another. A loss of power may cost the last runs, but not the file. */
    useWriteAheadLog(): void {
        this.#connection.pragma('journal_mode = WAL');
        this.#connection.pragma('synchronous = NORMAL');
        // SQLite's own, each 1,000 pages, would come in the middle of a second's runs, and wait for the disk there. Where no bot
        // works, nobody else shortens the log.
        this.#connection.pragma('wal_autocheckpoint = 10000');
    }

    /** Writes the log into the file, unless somebody else uses it at this moment. It waits for the disk. */
    checkpoint(): void {
        this.#connection.pragma('wal_checkpoint(TRUNCATE)');
    }

    /** A number in the head of the file; 0: nobody has set it. */
    pragma(name: 'user_version' | 'application_id'): number {
        return this.statement(`PRAGMA ${name}`).get([])?.[name] as number;
    }

    /** The names of its tables, SQLite's own left out. */
    get tables(): string[] {
        return this.statement(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )
            .all([])
            .map((row) => row['name'] as string);
    }

    /** A prepared statement, kept for the next time. */
    statement(sql: string): Statement {
        const known = this.#statements.get(sql);
        if (known) return known;
        const statement = this.#connection.prepare(sql) as unknown as Statement;
        this.#statements.set(sql, statement);
        return statement;
    }

    exec(sql: string): void {
        this.#connection.exec(sql);
    }

    /**
     * Does some work in one transaction; what it throws undoes all of it. The lock is taken first, by `exec`: a prepared
     * statement that fails because of a lock stays in progress in libsql 0.5.29, and makes every later COMMIT of its
     * connection fail (libsql-js#237).
     */
    transaction<T>(work: (database: Database) => T): T {
        this.exec('BEGIN IMMEDIATE');
        try {
            const result = work(this);
            this.exec('COMMIT');
            return result;
        } catch (error) {
            // A full disk has rolled it back already.
            if (this.#connection.inTransaction) this.exec('ROLLBACK');
            throw error;
        }
    }

    close(): void {
        this.#statements.clear();
        this.#connection.close();
    }
}

/** Which files a database is, by device and inode: others may take their paths. */
export type Identity = Readonly<Record<'file' | 'log', string | undefined>>;

/** The length of a database's log, in bytes. */
export function logLength(path: string): number {
    return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

/** Tells which files are at a database's path. They are looked at, and never opened: closing them would drop SQLite's locks. */
export function identityOf(path: string): Identity {
    const of = (file: string) => {
        const found = statSync(file, { throwIfNoEntry: false });
        return found && `${found.dev} ${found.ino}`;
    };
    return { file: of(path), log: of(`${path}-wal`) };
}

/**
 * A process that comes to its natural end closes its connections. If it believes that it is the last, it deletes the
 * log, under the bots whose locks were lost when a job read the file. So it exits first, after all other listeners.
 */
function exitWithoutClosing(): void {
    process.once('exit', () => process.exit());
}

/** `locked` passes; `unwritable`: the folder, the disk or the rights; `corrupt`: it is no journal any more. */
export type FailureKind = 'locked' | 'unwritable' | 'corrupt' | 'other';

// The primary result codes of SQLite (https://www.sqlite.org/rescode.html); the extended ones hold them in their low byte.
const KINDS: Record<number, FailureKind> = {
    3: 'unwritable', // PERM
    5: 'locked', // BUSY
    6: 'locked', // LOCKED
    8: 'unwritable', // READONLY
    10: 'unwritable', // IOERR
    11: 'corrupt', // CORRUPT
    13: 'unwritable', // FULL
    14: 'unwritable', // CANTOPEN
    26: 'corrupt', // NOTADB
};

export function kindOf(error: unknown): FailureKind {
    const { rawCode, message = '' } = error as { rawCode?: number; message?: string };
    // An error on opening has its code in the text only: `ConnectionFailed("...: 14")`.
    const code = rawCode ?? Number(/^ConnectionFailed\(.*: (\d+)"\)$/.exec(message)?.[1]);
    return KINDS[code & 0xff] ?? 'other';
}
