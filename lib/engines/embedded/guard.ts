import { Database } from './database.js';
import { kindOf } from './failure.js';

/**
 * Tells whether other processes hold a journal open. Each holds a read lock on an empty database beside it, which ends
 * with the process, however that dies; whoever can lock it for himself is alone. (The journal itself cannot tell: SQLite
 * does not lock a file that it cannot read.)
 */
export class Guard {
    private constructor(private readonly database: Database) {}

    /**
     * @param journal the journal's file
     * @returns its guard, not held yet
     * @throws what libsql throws
     */
    static async of(journal: string): Promise<Guard> {
        return new Guard(await Database.open(`${journal}-guard`));
    }

    /**
     * Holds the journal together with others.
     *
     * @returns false while one holds it alone
     */
    share(): boolean {
        return this.#lock('BEGIN', () =>
            this.database.statement('SELECT count(*) FROM sqlite_master').get([]),
        );
    }

    /**
     * Holds the journal alone; what was held before is given up.
     *
     * @returns false where others hold it; then nothing is held
     */
    exclude(): boolean {
        this.release();
        return this.#lock('BEGIN EXCLUSIVE', () => {});
    }

    /** Gives up what is held. */
    release(): void {
        if (this.#isHeld) this.database.exec('ROLLBACK');
        this.#isHeld = false;
    }

    /** Gives up what is held, for good. */
    close(): void {
        this.release();
        this.database.close();
    }

    #isHeld = false;

    #lock(begin: string, work: () => void): boolean {
        if (this.#isHeld) this.release();
        try {
            this.database.exec(begin);
            this.#isHeld = true;
            work();
            return true;
        } catch (error) {
            this.release();
            if (kindOf(error) === 'locked') return false;
            throw error;
        }
    }
}
