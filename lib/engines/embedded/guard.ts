import { Database } from './database.js';
import { LOCKED, unlessLocked } from './lock.js';

/**
 * Tells whether other processes hold a journal open. Each holds a read lock on an empty database beside it, which ends
 * with the process, however that dies; whoever can lock it for himself is alone. (The journal itself cannot tell: SQLite
 * does not lock a file that it cannot read.)
 */
export class Guard {
    readonly #database: Database;

    /** @throws what libsql throws */
    constructor(journal: string) {
        this.#database = new Database(`${journal}-guard`);
    }

    /** Holds the journal together with others, unless one of them holds it alone. */
    share(): true | typeof LOCKED {
        return this.#lock('BEGIN', () =>
            this.#database.statement('SELECT count(*) FROM sqlite_master').get([]),
        );
    }

    /** Holds the journal alone, unless others hold it; what was held before is given up. */
    exclude(): true | typeof LOCKED {
        return this.#lock('BEGIN EXCLUSIVE');
    }

    close(): void {
        this.#release();
        this.#database.close();
    }

    #lock(begin: string, read: () => unknown = () => {}): true | typeof LOCKED {
        this.#release();
        const answer = unlessLocked(() => {
            this.#database.exec(begin);
            read();
            return true as const;
        });
        if (answer === LOCKED) this.#release();
        return answer;
    }

    #release(): void {
        if (this.#database.isInTransaction) this.#database.exec('ROLLBACK');
    }
}
