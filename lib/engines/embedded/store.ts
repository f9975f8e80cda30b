import { isAbsolute, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Project } from '../../framework.js';
import { type HistoryHost, JournalLockedError, type LockTimeout } from '../../runs/engine.js';
import type { JournalTrouble } from '../../runs/events.js';
import { Database, identityOf, kindOf, logLength, MEMORY, type Row, type SqlValue } from './database.js';
import { type OpenFile, openFile } from './file.js';
import { createTables, VERSION } from './schema.js';

export interface StoreParts {
    /** The process that works with it. */
    readonly owner: string;
    /** The file, absolute; undefined: in memory. */
    readonly path: string | undefined;
    /** The file, as the log calls it. */
    readonly shown: string;
    /** Whether memory will not do where the file cannot be written. */
    readonly required: boolean;
    /** How long a lock is waited for; undefined: until it is free. */
    readonly lockTimeout: LockTimeout | undefined;
    readonly tell: (trouble: JournalTrouble, detail: string) => void;
    /** Another database has taken the place of the one before: the numbers of unfinished rows there, by run id. */
    readonly moved: (seqs: ReadonlyMap<string, number>) => void;
}

/** The longest wait for a lock between two tries, in milliseconds. */
const LONGEST_WAIT = 50;

/** Locked for this long, in milliseconds, is worth a word. */
const NOTABLE_LOCK = 2_000;

/** A longer log is written into the file, in bytes. */
const LONG_LOG = 4_000_000;

/** How often a file that cannot be written is tried again, in milliseconds. */
const RETRY_EVERY = 10_000;

/** The database of the embedded engine. It decides what becomes of reads and writes when its file fails. */
export class Store {
    #file: OpenFile | undefined;
    #memory: Database | undefined;
    #memorySince = 0;
    /** The runs that were unfinished when memory took the place of a file, and the pauses of then. */
    #carried: Readonly<Record<'runs' | 'pauses', readonly Row[]>> = { runs: [], pauses: [] };
    #triedAt = 0;
    #isAway = false;
    #isToldLocked = false;

    private constructor(private readonly parts: StoreParts) {}

    /** @throws RefusedJournalError; JournalLockedError; Error where the file is required and cannot be written */
    static async open(parts: StoreParts): Promise<Store> {
        const store = new Store(parts);
        if (parts.path === undefined) store.#memory = openMemory();
        else await store.#whileLocked(() => store.#openFile(parts.path as string), parts.lockTimeout);
        if (store.#isAway && parts.required)
            throw new Error(`The journal ${parts.shown} cannot be written, and nothing is done without it.`);
        return store;
    }

    /** Whether other processes may work with it, too. */
    get isShared(): boolean {
        return this.parts.path !== undefined;
    }

    get description(): string {
        // Several machines, or release folders, with a file each do not share it: whoever reads the log shall know.
        return this.#file ? `embedded, journal ${this.parts.shown} of this machine` : 'embedded, in memory';
    }

    /**
     * Reads and writes in one transaction: at once where it is not locked, else as soon as it is free. The event loop never waits.
     *
     * @param committed called with the result before anything else is written
     * @throws JournalLockedError; what `work` throws
     */
    write<T>(
        work: (database: Database) => T,
        lockTimeout?: LockTimeout,
        committed: (result: T) => void = () => {},
    ): Promise<T> {
        return this.#whileLocked(() => {
            const result = this.#attempt(work);
            committed(result);
            return result;
        }, lockTimeout);
    }

    /** Reads without a lock: what others have not committed yet is not seen. */
    read<T>(work: (database: Database) => T): T {
        const database = this.#file?.database ?? this.#memory;
        if (!database) throw new UnavailableError('the journal cannot be read');
        return work(database);
    }

    /** Writes without any wait: the process ends. What cannot be written then is given up by others. */
    tryWriteNow(work: (database: Database) => void): void {
        try {
            this.#attempt(work);
        } catch (error) {
            if (kindOf(error) !== 'locked') throw error;
        }
    }

    /** Makes sure that the file is still the one at its path: whoever deletes or replaces it is followed. */
    check(): void {
        const file = this.#file;
        if (!file) return;
        const found = identityOf(file.path);
        if (found.file === file.identity.file && found.log === file.identity.log) return;
        this.parts.tell('replaced', '');
        this.#file = undefined;
        this.#goOnInMemory(file.database);
        // SQLite shares what it knows of a file among a process's connections, a log that is no more included.
        file.database.close();
        collectGarbage();
        // The next write opens what is there, and waits where another process is just making it.
        this.#triedAt = Number.NEGATIVE_INFINITY;
    }

    /** Writes a long log into the file, at a moment in which nothing waits for it. */
    shorten(): void {
        const file = this.#file;
        if (!file || logLength(file.path) < LONG_LOG) return;
        try {
            file.database.checkpoint();
        } catch (error) {
            // The next write finds out about anything else.
            if (kindOf(error) === 'other') throw error;
        }
    }

    #attempt<T>(work: (database: Database) => T): T {
        const { path } = this.parts;
        const isTried = performance.now() - this.#triedAt <= RETRY_EVERY;
        if (!this.#file && path !== undefined && !isTried) this.#openFile(path);
        const database = this.#file?.database ?? this.#memory;
        if (!database) throw new UnavailableError('the journal cannot be written');
        try {
            return database.transaction(work);
        } catch (error) {
            const kind = kindOf(error);
            const before = this.#file;
            if (!before || (kind !== 'unwritable' && kind !== 'corrupt')) throw error;
            this.#file = undefined;
            if (kind === 'corrupt') this.#openFile(before.path);
            else this.#fail(error, before.database);
            return this.#attempt(work);
        }
    }

    #openFile(path: string): void {
        this.#triedAt = performance.now();
        try {
            const file = openFile(path);
            if (this.#memory) this.#move(this.#memory, file.database);
            if (this.#isAway) this.parts.tell('back', '');
            this.#isAway = false;
            this.#memory = undefined;
            this.#file = file;
            if (file.setAside !== undefined) this.parts.tell('set aside', file.setAside);
            if (file.version > VERSION) this.parts.tell('newer', String(file.version));
        } catch (error) {
            const kind = kindOf(error);
            if (kind === 'locked') this.#triedAt = Number.NEGATIVE_INFINITY;
            if (kind !== 'unwritable') throw error;
            this.#fail(error, undefined);
        }
    }

    #fail(error: unknown, before: Database | undefined): void {
        const { required, tell } = this.parts;
        this.#triedAt = performance.now();
        if (!this.#isAway) tell(required ? 'required' : 'unwritable', messageOf(error));
        this.#isAway = true;
        if (!required && !this.#memory) this.#goOnInMemory(before);
    }

    #goOnInMemory(before: Database | undefined): void {
        const memory = openMemory();
        this.#memorySince = Date.now();
        this.#carried = { runs: [], pauses: [] };
        try {
            if (before) this.#move(before, memory);
        } catch {
            // What cannot be read is not carried over.
        }
        this.#carried = {
            runs: memory.statement('SELECT id, job FROM bot_runs WHERE ended_at IS NULL').all([]),
            pauses: memory.statement('SELECT job, paused_at FROM bot_pauses').all([]),
        };
        this.#memory = memory;
    }

    #move(from: Database, to: Database): void {
        const seqs = to.transaction(() => {
            for (const { job = null, paused_at = null } of this.#carried.pauses)
                if (!from.statement('SELECT 1 FROM bot_pauses WHERE job = ?').get([job]))
                    to.statement('DELETE FROM bot_pauses WHERE job = ? AND paused_at = ?').run([
                        job,
                        paused_at,
                    ]);
            const staying = makeRoomFor(this.#carried.runs, to, this.parts.owner);
            return carryOver(from, to, this.#memorySince, staying);
        });
        this.parts.moved(seqs);
    }

    async #whileLocked<T>(attempt: () => T, lockTimeout: LockTimeout | undefined): Promise<T> {
        const since = performance.now();
        for (let wait = 1; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
            try {
                const result = attempt();
                this.#isToldLocked = false;
                return result;
            } catch (error) {
                const isUnavailable = error instanceof UnavailableError;
                if (!isUnavailable && kindOf(error) !== 'locked') throw error;
                const waited = performance.now() - since;
                if (lockTimeout && (lockTimeout.signal?.aborted || waited > lockTimeout.milliseconds)) {
                    if (isUnavailable) throw error;
                    throw new JournalLockedError();
                }
                if (waited > NOTABLE_LOCK && !isUnavailable && !this.#isToldLocked) {
                    this.#isToldLocked = true;
                    this.parts.tell('locked', '');
                }
                await delay(wait * (0.5 + Math.random()));
            }
        }
    }
}

/** Nothing can be remembered, and so nothing runs. */
export class UnavailableError extends Error {
    override readonly name = 'JournalUnavailableError';
}

/** Where an app's journal is: the file, absolute, and as the log calls it; undefined: in memory. */
export async function placeOf({
    journal: { filename },
    environment,
}: HistoryHost): Promise<{ path: string; shown: string } | undefined> {
    if (filename === false || (filename === undefined && environment === 'test')) return undefined;
    const { rootPath: root = process.cwd() } = await Project.instance;
    const wanted = filename ?? `bot_${environment}.db`;
    const path = isAbsolute(wanted) ? wanted : join(root, wanted);
    const fromRoot = relative(root, path);
    return { path, shown: fromRoot.startsWith('..') ? path : fromRoot };
}

const GOES_ON = `SELECT seq, ended_at IS NULL AND (process = ? OR state <> 'running' AND origin <> 'waiter') AS goesOn
    FROM bot_runs INDEXED BY bot_history WHERE job = ? AND id = ?`;

// What was carried over from here has gone on since: it comes back as it is now. Answers the ids of those that stay as they are,
// because another process has them.
function makeRoomFor(carried: readonly Row[], to: Database, owner: string): ReadonlySet<SqlValue> {
    const staying = new Set<SqlValue>();
    for (const { id = null, job = null } of carried) {
        const row = to.statement(GOES_ON).get([owner, job, id]);
        if (row?.['goesOn']) to.statement('DELETE FROM bot_runs WHERE seq = ?').run([row['seq'] as number]);
        else if (row) staying.add(id);
    }
    return staying;
}

// What must not be forgotten: what has not ended, or since some time, pauses, and up to where schedules are handled (the later
// of both). Answers the numbers that unfinished rows have there, by run id.
function carryOver(
    from: Database,
    to: Database,
    since: number,
    staying: ReadonlySet<SqlValue>,
): Map<string, number> {
    const seqs = new Map<string, number>();
    const copy = (
        table: string,
        which: string,
        values: SqlValue[],
        onConflict = 'ON CONFLICT DO NOTHING',
    ) => {
        for (const { seq: _, ...row } of from.statement(`SELECT * FROM ${table} ${which}`).all(values)) {
            if (table === 'bot_runs' && staying.has(row['id'] as string)) continue;
            const names = Object.keys(row);
            const sql = `INSERT INTO ${table} (${names.join()}) SELECT ${names.map(() => '?').join()} WHERE true`;
            const made = to.statement(`${sql} ${onConflict}`).run(Object.values(row));
            if (table === 'bot_runs' && made.changes > 0 && row['ended_at'] === null)
                seqs.set(row['id'] as string, made.lastInsertRowid);
        }
    };
    copy('bot_runs', 'WHERE ended_at IS NULL OR ended_at >= ? ORDER BY seq', [since]);
    copy('bot_skips', 'WHERE last >= ? ORDER BY seq', [Math.floor(since / 1000)]);
    const newer =
        'until = excluded.until, reason = excluded.reason, by = excluded.by, paused_at = excluded.paused_at';
    copy('bot_pauses', '', [], `ON CONFLICT DO UPDATE SET ${newer} WHERE excluded.paused_at > paused_at`);
    const counted = 'failures = excluded.failures, since = excluded.since, is_told = excluded.is_told';
    copy('bot_streaks', '', [], `ON CONFLICT DO UPDATE SET ${counted}`);
    const later = 'handled_until = max(handled_until, excluded.handled_until)';
    copy('bot_schedules', '', [], `ON CONFLICT DO UPDATE SET ${later}`);
    copy('bot_processes', '', []);
    return seqs;
}

function openMemory(): Database {
    const database = new Database(MEMORY);
    database.transaction(createTables);
    return database;
}

function messageOf(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    return message.startsWith('ConnectionFailed') ? 'unable to open its file' : message;
}

// libsql closes a connection no sooner than its statements have been collected.
function collectGarbage(): void {
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
}
