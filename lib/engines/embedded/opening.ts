import { renameSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { LockTimeout } from '../../runs/engine.js';
import { Database, MEMORY } from './database.js';
import { kindOf } from './failure.js';
import { Guard } from './guard.js';
import { LOCKED, unlessLocked, whenUnlocked } from './lock.js';
import { migrate } from './schema.js';

/** How long another process may take to set a corrupt file aside, in milliseconds. */
const LONGEST_SETTING_ASIDE = 1_000;

/** How often a corrupt file is tried again meanwhile, in milliseconds. */
const RETRY = 30;

/** A journal's database, open and with its tables. */
export interface OpenJournal {
    readonly database: Database;
    /** Held as long as the database is open; undefined: in memory. */
    readonly guard?: Guard;
    readonly version: number;
    /** Where a corrupt file was put that stood in its place. */
    readonly setAside?: string | undefined;
}

/** A file that is no journal, and that other processes hold open. */
export class HeldCorruptError extends Error {
    override readonly name = 'HeldCorruptError';
}

/** Opens a journal without a file. */
export function openMemory(): OpenJournal {
    const database = new Database(MEMORY);
    return { database, version: migrate(database) };
}

/**
 * Opens a journal's file, and makes or migrates it. A corrupt one is set aside - renamed, never deleted - where no other
 * process holds it open.
 *
 * @param path the file, absolute
 * @param locked called where another process has kept it locked for a while
 * @throws HeldCorruptError; JournalLockedError; what libsql throws where the file cannot be read or written
 */
export async function openFile(
    path: string,
    locked: () => void,
    timeout?: LockTimeout,
): Promise<OpenJournal> {
    const guard = new Guard(path);
    try {
        let setAside: string | undefined;
        const corruptUntil = Date.now() + LONGEST_SETTING_ASIDE;
        for (;;) {
            await whenUnlocked(() => guard.share(), locked, timeout);
            try {
                return { ...(await openHeld(path, locked, timeout)), guard, setAside };
            } catch (error) {
                if (kindOf(error) !== 'corrupt') throw error;
                if (guard.exclude() !== LOCKED)
                    setAside = (await setAsideIfCorrupt(path, timeout)) ?? setAside;
                else if (Date.now() > corruptUntil) throw new HeldCorruptError((error as Error).message);
                else await delay(RETRY);
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
    timeout?: LockTimeout,
): Promise<{ database: Database; version: number }> {
    const database = new Database(path);
    const unlocked = <T>(work: () => T) => whenUnlocked(() => unlessLocked(work), locked, timeout);
    try {
        const version = await unlocked(() => {
            database.useWriteAheadLog();
            return migrate(database);
        });
        // A file that can only be read gives itself away no sooner than at a write.
        await unlocked(() => database.transaction(() => {}));
        return { database, version };
    } catch (error) {
        database.close();
        throw error;
    }
}

// Looked at again, alone: another process may have set it aside and made a new one since.
async function setAsideIfCorrupt(path: string, timeout?: LockTimeout): Promise<string | undefined> {
    try {
        const { database } = await openHeld(path, () => {}, timeout);
        database.close();
        return undefined;
    } catch (error) {
        if (kindOf(error) !== 'corrupt') throw error;
    }
    const target = `${path}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
    renameSync(path, target);
    for (const suffix of ['-wal', '-shm']) {
        try {
            renameSync(path + suffix, target + suffix);
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        }
    }
    return target;
}
