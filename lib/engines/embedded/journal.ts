import { setTimeout as delay } from 'node:timers/promises';
import { checkPatience, type Patience } from '../../time/patience.js';
import type { Database } from './database.js';
import { kindOf } from './failure.js';
import { HeldCorruptError, NOTABLE_LOCK, type OpenJournal, openFile, openMemory } from './opening.js';
import { canClaim, VERSION } from './schema.js';

/**
 * What is wrong with the journal, and what is done about it:
 * - `locked`: another process keeps it locked; it is tried again until that ends
 * - `newer`: a newer release has changed it; slots are claimed as ever, the rest as far as it fits
 * - `too new`: a newer release has changed it so much that nothing can be claimed; nothing runs
 * - `set aside`: it was corrupt; it was renamed, and a new one begun
 * - `corrupt`: it is corrupt, and other processes hold it open; nothing runs
 * - `unwritable`: it cannot be written; it goes on in memory, and slots may run twice
 * - `required`: it cannot be written, and is required; nothing runs
 * - `failed`: something that should not happen was not recorded
 */
export type JournalTrouble =
    | 'locked'
    | 'newer'
    | 'too new'
    | 'set aside'
    | 'corrupt'
    | 'unwritable'
    | 'required'
    | 'failed';

/** How a journal is kept. */
export interface JournalParts {
    /** The file, absolute; undefined: in memory. */
    readonly path: string | undefined;
    /** Whether memory will not do where the file cannot be written. */
    readonly required: boolean;
    /** How long its opening waits for a lock; undefined: until it is free. */
    readonly patience?: Patience | undefined;
    /** Hears of trouble, once for each kind until it is over. */
    readonly trouble: (trouble: JournalTrouble, detail: string) => void;
    /** Called within a transaction when an empty journal has taken the place of one: what must be known there is written again. */
    readonly restore: (database: Database) => void;
}

/** A journal that nothing can be recorded in. */
export class JournalUnavailableError extends Error {
    override readonly name = 'JournalUnavailableError';
}

/** The longest wait for a lock between two tries, in milliseconds. */
const LONGEST_WAIT = 50;

/** How long a close waits for a lock that others hold, in milliseconds. */
const LONGEST_CLOSE = 2_000;

/** How often a journal that became unusable is tried again, in milliseconds. */
const REOPEN_EVERY = 5_000;

const LOCKED = Symbol('locked');

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

    private constructor(private readonly parts: JournalParts) {}

    /**
     * Opens a journal.
     *
     * @param parts how it is kept
     * @returns the journal; where its file fails, what is to be done about that is done
     * @throws JournalLockedError; Error where the file is required and cannot be written, or something unforeseen is wrong with it
     */
    static async open(parts: JournalParts): Promise<Journal> {
        const journal = new Journal(parts);
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
     * Reads and writes in one transaction: at once, where no other process has the lock; else as soon as it is free. The
     * event loop never waits.
     *
     * @param work what to do; it may be called several times
     * @param patience how long to wait for the lock; undefined: until it is free
     * @returns what it returned
     * @throws JournalUnavailableError, by the promise or at once; JournalLockedError by the promise
     */
    write<T>(work: (database: Database) => T, patience?: Patience): T | Promise<T> {
        const result = this.#attempt(work);
        return result === LOCKED ? this.#whenUnlocked(work, patience) : result;
    }

    /**
     * The same, with a value for the case that nothing can be recorded: trouble with the journal stops nobody who can do
     * without it.
     *
     * @param work what to do
     * @param otherwise the result without a journal
     * @param patience how long to wait for the lock; undefined: until it is free
     * @throws JournalLockedError by the promise
     */
    tryWrite<T>(work: (database: Database) => T, otherwise: T, patience?: Patience): T | Promise<T> {
        const unlessUnavailable = (error: unknown): T => {
            if (error instanceof JournalUnavailableError) return otherwise;
            throw error;
        };
        try {
            const written = this.write(work, patience);
            return written instanceof Promise ? written.catch(unlessUnavailable) : written;
        } catch (error) {
            return unlessUnavailable(error);
        }
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

    async #whenUnlocked<T>(work: (database: Database) => T, patience?: Patience): Promise<T> {
        const since = performance.now();
        const retries = (async () => {
            for (let wait = 1; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
                await delay(wait * (0.5 + Math.random()));
                if (this.#isClosed) throw new JournalUnavailableError('the journal was closed');
                checkPatience(patience, since);
                const result = this.#attempt(work);
                if (result !== LOCKED) return result;
                if (performance.now() - since > NOTABLE_LOCK) this.#tell('locked', '');
            }
        })();
        this.#pending.add(retries);
        try {
            return await retries;
        } finally {
            this.#pending.delete(retries);
        }
    }

    #withoutFile<T>(work: (database: Database) => T, error: unknown): T {
        const trouble = this.parts.required ? 'required' : 'unwritable';
        this.#tell(trouble, messageOf(error));
        if (trouble === 'required' || !this.#spare) {
            throw new JournalUnavailableError(messageOf(error), { cause: error });
        }
        const spare = this.#spare;
        this.#spare = undefined;
        this.#discard();
        this.#become(spare);
        spare.database.transaction(this.parts.restore);
        return spare.database.transaction(work);
    }

    async #reopen(): Promise<void> {
        this.#nextReopening = performance.now() + REOPEN_EVERY;
        const { path, required } = this.parts;
        if (path === undefined) {
            this.#become(await openMemory());
            return;
        }
        // Made while there is time: a disk that is full at a claim leaves none.
        if (!required) this.#spare ??= await openMemory();
        try {
            const opened = await openFile(path, () => this.#tell('locked', ''), this.parts.patience);
            this.#told.delete('locked');
            this.#told.delete('corrupt');
            this.#become(opened);
            if (opened.setAside !== undefined) {
                opened.database.transaction(this.parts.restore);
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
        this.parts.trouble(trouble, detail);
    }
}

function messageOf(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    return message.startsWith('ConnectionFailed') ? 'unable to open its file' : message;
}
