import { setTimeout as delay } from 'node:timers/promises';
import type { LockTimeout } from '../../runs/engine.js';
import type { JournalTrouble } from '../../runs/events.js';
import type { Database } from './database.js';
import { kindOf } from './failure.js';
import { LOCKED, whenUnlocked } from './lock.js';
import { HeldCorruptError, type OpenJournal, openFile, openMemory } from './opening.js';
import { canClaim, VERSION } from './schema.js';

/** How a journal is kept. */
export interface JournalOptions {
    /** The file, absolute; undefined: in memory. */
    readonly path: string | undefined;
    /** Whether memory will not do where the file cannot be written. */
    readonly required: boolean;
    /** undefined: it waits until a lock is free. */
    readonly lockTimeout?: LockTimeout | undefined;
    /** Hears of trouble, once for each kind until it is over. */
    readonly trouble: (trouble: JournalTrouble, detail: string) => void;
    /** Called within a transaction when an empty journal has taken the place of one: what must be known there is written again. */
    readonly restore: (database: Database) => void;
}

/** A journal that nothing can be recorded in. */
export class JournalUnavailableError extends Error {
    override readonly name = 'JournalUnavailableError';
}

/** How long a close waits for a lock that others hold, in milliseconds. */
const LONGEST_CLOSE = 2_000;

/** A lock timeout that never comes. */
const ENDLESS: LockTimeout = { milliseconds: Infinity };

/** How often a journal that became unusable is tried again, in milliseconds. */
const REOPEN_EVERY = 5_000;

/** Goes on with another value where a journal could not be used. */
export function orElse<T>(otherwise: T): (error: unknown) => T {
    return (error) => {
        if (error instanceof JournalUnavailableError) return otherwise;
        throw error;
    };
}

/** What the embedded engine remembers, in SQLite. It decides what becomes of reads and writes when the file fails. */
export class Journal {
    #open: OpenJournal | undefined;
    #spare: OpenJournal | undefined;
    #told = new Set<JournalTrouble>();
    #pending = new Set<Promise<unknown>>();
    #reopening: Promise<void> | undefined;
    #nextReopening = 0;
    #isClosed = false;
    #generation = 0;

    private constructor(private readonly options: JournalOptions) {}

    /**
     * Opens a journal; where its file fails, what is to be done about that is done.
     *
     * @throws JournalLockedError; Error where the file is required and cannot be written, or something unforeseen is wrong with it
     */
    static async open(options: JournalOptions): Promise<Journal> {
        const journal = new Journal(options);
        await journal.#reopen();
        return journal;
    }

    /** Changes when another file, or memory, has taken the journal's place: numbers of rows are good for one only. */
    get generation(): number {
        return this.#generation;
    }

    /** Whether nobody else can see it. */
    get isInMemory(): boolean {
        return this.#open?.guard === undefined;
    }

    /**
     * Reads and writes in one transaction: before this returns, where no other process has the lock; else as soon as it is
     * free. The event loop never waits.
     *
     * @param work what to do; it may be called several times
     * @throws JournalUnavailableError; JournalLockedError
     */
    async write<T>(work: (database: Database) => T, timeout = this.options.lockTimeout): Promise<T> {
        const result = this.#attempt(work);
        if (result !== LOCKED) return result;
        const waiting = whenUnlocked(
            () => this.#attempt(work),
            () => this.#tell('locked', ''),
            timeout,
        );
        this.#pending.add(waiting);
        return waiting.finally(() => this.#pending.delete(waiting));
    }

    /** Writes what has to be written, however long that takes, with another result where nothing can be recorded. */
    record<T>(work: (database: Database) => T, otherwise: T): Promise<T> {
        return this.write(work, ENDLESS).catch(orElse(otherwise));
    }

    /** Waits for what is still to be written, and closes it. */
    async close(): Promise<void> {
        await Promise.race([
            Promise.allSettled([...this.#pending, this.#reopening]),
            delay(LONGEST_CLOSE, undefined, { ref: false }),
        ]);
        this.#isClosed = true;
        this.#discard();
        this.#spare?.database.close();
        this.#spare = undefined;
    }

    #attempt<T>(work: (database: Database) => T): T | typeof LOCKED {
        const database = this.#usable();
        try {
            const result = database.transaction(work);
            this.#told.delete('locked');
            return result;
        } catch (error) {
            const kind = kindOf(error);
            if (kind === 'locked') return LOCKED;
            if (kind === 'unwritable') return this.#withoutFile(work, error);
            if (kind === 'corrupt') {
                this.#discard();
                this.#startReopening();
                this.#tell('corrupt', messageOf(error));
            } else this.#tell('failed', messageOf(error));
            throw new JournalUnavailableError(messageOf(error), { cause: error });
        }
    }

    #usable(): Database {
        if (this.#open && canClaim(this.#open.version)) return this.#open.database;
        if (!this.#open && performance.now() > this.#nextReopening) this.#startReopening();
        throw new JournalUnavailableError('the journal cannot be used');
    }

    #startReopening(): void {
        if (this.#isClosed || this.#reopening) return;
        this.#reopening = this.#reopen()
            .catch((error) => this.#tell('failed', messageOf(error)))
            .finally(() => {
                this.#reopening = undefined;
            });
    }

    #withoutFile<T>(work: (database: Database) => T, error: unknown): T {
        const trouble = this.options.required ? 'required' : 'unwritable';
        this.#tell(trouble, messageOf(error));
        if (trouble === 'required' || !this.#spare) {
            throw new JournalUnavailableError(messageOf(error), { cause: error });
        }
        const spare = this.#spare;
        this.#spare = undefined;
        this.#discard();
        this.#become(spare);
        spare.database.transaction(this.options.restore);
        return spare.database.transaction(work);
    }

    async #reopen(): Promise<void> {
        this.#nextReopening = performance.now() + REOPEN_EVERY;
        const { path, required } = this.options;
        if (path === undefined) return this.#become(openMemory());
        // Made while there is time: a disk that is full at a claim leaves none.
        if (!required) this.#spare ??= openMemory();
        try {
            const opened = await openFile(path, () => this.#tell('locked', ''), this.options.lockTimeout);
            this.#told.delete('locked');
            this.#told.delete('corrupt');
            this.#become(opened);
            if (opened.setAside !== undefined) {
                opened.database.transaction(this.options.restore);
                this.#tell('set aside', opened.setAside);
            }
            if (!canClaim(opened.version)) this.#tell('too new', String(opened.version));
            else if (opened.version > VERSION) this.#tell('newer', String(opened.version));
        } catch (error) {
            if (error instanceof HeldCorruptError) return this.#tell('corrupt', error.message);
            if (kindOf(error) !== 'unwritable') throw error;
            if (required) {
                throw new Error(
                    `The journal ${path} cannot be written, and bot.journal.required is true: ${messageOf(error)}`,
                    { cause: error },
                );
            }
            this.#tell('unwritable', messageOf(error));
            this.#become(this.#spare as OpenJournal);
            this.#spare = undefined;
        }
    }

    #become(opened: OpenJournal): void {
        this.#open = opened;
        this.#generation += 1;
    }

    #discard(): void {
        this.#open?.database.close();
        this.#open?.guard?.close();
        this.#open = undefined;
    }

    #tell(trouble: JournalTrouble, detail: string): void {
        if (this.#told.has(trouble)) return;
        this.#told.add(trouble);
        this.options.trouble(trouble, detail);
    }
}

function messageOf(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    return message.startsWith('ConnectionFailed') ? 'unable to open its file' : message;
}
