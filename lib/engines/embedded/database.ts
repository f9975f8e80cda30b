import { closeSync, fchmodSync, openSync } from 'node:fs';
import Libsql from 'libsql';

/** What a column holds. Never a boolean: libsql 0.5 aborts the whole process when it is given one. */
export type SqlValue = string | number | null;

/** A row, by the names of its columns. */
export type Row = Record<string, SqlValue>;

/** A prepared statement. */
export interface Statement {
    run(values: readonly SqlValue[]): { changes: number; lastInsertRowid: number };
    get(values: readonly SqlValue[]): Row | undefined;
    all(values: readonly SqlValue[]): Row[];
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

    private constructor(connection: Libsql.Database) {
        this.#connection = connection;
    }

    /**
     * Opens a database, and makes its file where there is none: its owner's alone, as SQLite then makes those beside it.
     *
     * @param path the file, or `MEMORY`
     * @returns the connection
     * @throws what libsql throws; see `kindOf`
     */
    static open(path: string): Database {
        if (path !== MEMORY) createPrivately(path);
        const connection = new Libsql(path);
        try {
            connection.pragma('busy_timeout = 0');
        } catch (error) {
            connection.close();
            throw error;
        }
        return new Database(connection);
    }

    /**
     * Makes writers and readers not wait for one another, and commits without waiting for the disk: after a loss of
     * power the last runs may be forgotten, the file stays whole.
     */
    useWriteAheadLog(): void {
        this.#connection.pragma('journal_mode = WAL');
        this.#connection.pragma('synchronous = NORMAL');
    }

    /** The version of the schema; 0: there is none yet. */
    get version(): number {
        const [row] = this.#connection.pragma('user_version') as [{ user_version: number }];
        return row.user_version;
    }

    set version(version: number) {
        this.#connection.exec(`PRAGMA user_version = ${version}`);
    }

    /**
     * A prepared statement, kept for the next time.
     *
     * @param sql its text
     */
    statement(sql: string): Statement {
        const known = this.#statements.get(sql);
        if (known) return known;
        const statement = this.#connection.prepare(sql) as unknown as Statement;
        this.#statements.set(sql, statement);
        return statement;
    }

    /**
     * Executes statements without values.
     *
     * @param sql one or more statements
     */
    exec(sql: string): void {
        this.#connection.exec(sql);
    }

    /**
     * Does some work in one transaction. The lock is taken first, by `exec`: a prepared statement that fails because of
     * a lock stays in progress in libsql 0.5.29, and makes every later COMMIT of its connection fail (libsql-js#237).
     *
     * @param work reads and writes; what it throws undoes all of it
     * @returns what `work` returned
     */
    transaction<T>(work: (database: Database) => T): T {
        this.#connection.exec('BEGIN IMMEDIATE');
        try {
            const result = work(this);
            this.#connection.exec('COMMIT');
            return result;
        } catch (error) {
            // A full disk has rolled it back already.
            if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK');
            throw error;
        }
    }

    /** Closes the connection. */
    close(): void {
        this.#statements.clear();
        this.#connection.close();
    }
}

// What keeps it from being made is told better by SQLite. The mode is set once more, because of the umask.
function createPrivately(path: string): void {
    try {
        const file = openSync(path, 'wx', 0o600);
        fchmodSync(file, 0o600);
        closeSync(file);
    } catch {}
}
