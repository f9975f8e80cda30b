import { chmodSync, renameSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { checkPatience, type Patience } from '../../time/patience.js';
import { Database, MEMORY } from './database.js';
import { kindOf } from './failure.js';
import { Guard } from './guard.js';
import { migrate } from './schema.js';

/** How long somebody else may take to set a corrupt file aside, in milliseconds. */
const PATIENCE_WITH_OTHERS = 1_000;

/** How often a file is tried that is locked while it is made or migrated, in milliseconds. */
const RETRY = 20;

/** Locked for this long, in milliseconds, is worth a word. */
export const NOTABLE_LOCK = 2_000;

/** A journal's database, open and with its tables. */
export interface OpenJournal {
    readonly database: Database;
    /** Held as long as the database is open; undefined: in memory. */
    readonly guard: Guard | undefined;
    readonly version: number;
    /** Where a corrupt file was put that stood in its place. */
    readonly setAside: string | undefined;
}

/** A file that is no journal, and that other processes hold open. */
export class HeldCorruptError extends Error {
    override readonly name = 'HeldCorruptError';
}

/** Opens a journal without a file. */
export async function openMemory(): Promise<OpenJournal> {
    const database = await Database.open(MEMORY);
    return { database, guard: undefined, version: migrate(database), setAside: undefined };
}

/**
 * Opens a journal's file, and makes or migrates it. A corrupt one is set aside - renamed, never deleted - where no other
 * process holds it open.
 *
 * @param path the file, absolute
 * @param locked called once where another process has kept it locked for a while
 * @param patience how long to wait for the lock; undefined: until it is free
 * @returns the journal
 * @throws HeldCorruptError; JournalLockedError; what libsql throws where the file cannot be read or written
 */
export async function openFile(path: string, locked: () => void, patience?: Patience): Promise<OpenJournal> {
    const guard = await Guard.of(path);
    try {
        let setAside: string | undefined;
        const corruptUntil = Date.now() + PATIENCE_WITH_OTHERS;
        for (;;) {
            await whileLocked(() => guard.share() || undefined, locked, patience);
            try {
                const { database, version } = await openHeld(path, locked, patience);
                return { database, guard, version, setAside };
            } catch (error) {
                if (kindOf(error) !== 'corrupt') throw error;
                if (guard.exclude()) setAside = (await setAsideIfCorrupt(path, patience)) ?? setAside;
                else if (Date.now() > corruptUntil) throw new HeldCorruptError((error as Error).message);
                else await delay(RETRY * (1 + Math.random()));
            }
        }
    } catch (error) {
        guard.close();
        throw error;
    }
}

async function openHeld(
    path: string,
    locked: () => void,
    patience?: Patience,
): Promise<{ database: Database; version: number }> {
    const database = await Database.open(path);
    try {
        const version = await whileLocked(
            () => {
                try {
                    database.useWriteAheadLog();
                    return migrate(database);
                } catch (error) {
                    if (kindOf(error) === 'locked') return undefined;
                    throw error;
                }
            },
            locked,
            patience,
        );
        // A file that can only be read gives itself away no sooner than at a write.
        await whileLocked(
            () => {
                try {
                    return database.transaction(() => true);
                } catch (error) {
                    if (kindOf(error) === 'locked') return undefined;
                    throw error;
                }
            },
            locked,
            patience,
        );
        return { database, version };
    } catch (error) {
        database.close();
        throw error;
    }
}

// Looked at again, alone: another process may have set it aside and made a new one since.
async function setAsideIfCorrupt(path: string, patience?: Patience): Promise<string | undefined> {
    try {
        const { database } = await openHeld(path, () => {}, patience);
        database.close();
        return undefined;
    } catch (error) {
        if (kindOf(error) !== 'corrupt') throw error;
    }
    const target = `${path}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
    renameSync(path, target);
    for (const suffix of ['', '-wal', '-shm']) {
        try {
            if (suffix !== '') renameSync(path + suffix, target + suffix);
            chmodSync(target + suffix, 0o600);
        } catch (error) {
            if (!['ENOENT', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
        }
    }
    return target;
}

async function whileLocked<T>(
    attempt: () => T | undefined,
    locked: () => void,
    patience?: Patience,
): Promise<T> {
    const since = performance.now();
    let isTold = false;
    for (;;) {
        const result = attempt();
        if (result !== undefined) return result;
        checkPatience(patience, since);
        if (!isTold && performance.now() - since > NOTABLE_LOCK) {
            isTold = true;
            locked();
        }
        await delay(RETRY * (1 + Math.random()));
    }
}
