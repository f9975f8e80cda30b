import { setTimeout as delay } from 'node:timers/promises';
import type { EngineHost } from '../contract.js';
import { Database, MEMORY } from '../embedded/database.js';
import { kindOf } from '../embedded/failure.js';
import { migrate } from './schema.js';

/** The longest wait for a lock between two tries, in milliseconds. */
const LONGEST_WAIT = 50;

export class Store {
    constructor(
        readonly database: Database,
        readonly isShared: boolean,
        readonly description: string,
    ) {}

    async write<T>(work: (database: Database) => T, lockTimeout?: number): Promise<T | undefined> {
        const since = performance.now();
        for (let wait = 1; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
            try {
                return this.database.transaction(work);
            } catch (error) {
                if (kindOf(error) !== 'locked') throw error;
                if (lockTimeout !== undefined && performance.now() - since > lockTimeout) return undefined;
                await delay(wait * (0.5 + Math.random()));
            }
        }
    }

    async close(): Promise<void> {
        this.database.close();
    }
}

export async function openStore(host: EngineHost, _owner: unknown, _recovered: () => void): Promise<Store> {
    const { filename } = host.journal;
    const path = typeof filename === 'string' ? filename : MEMORY;
    const database = Database.open(path);
    if (path !== MEMORY) database.useWriteAheadLog();
    migrate(database);
    return new Store(database, path !== MEMORY, path === MEMORY ? 'embedded, in memory' : `embedded, journal ${path}`);
}
