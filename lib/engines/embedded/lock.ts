import { setTimeout as delay } from 'node:timers/promises';
import { JournalLockedError, type LockTimeout } from '../../runs/engine.js';
import { kindOf } from './failure.js';

/** The longest wait for a lock between two tries, in milliseconds. */
const LONGEST_WAIT = 50;

/** Locked for this long, in milliseconds, is worth a word. */
const NOTABLE_LOCK = 2_000;

/** The answer of whoever could not go on because another process has the lock. */
export const LOCKED = Symbol('locked');

/** Does something that needs the lock. */
export function unlessLocked<T>(work: () => T): T | typeof LOCKED {
    try {
        return work();
    } catch (error) {
        if (kindOf(error) === 'locked') return LOCKED;
        throw error;
    }
}

/**
 * Tries something until no other process has the lock. The event loop never waits.
 *
 * @param told called again and again once the lock has been held for a while
 * @param timeout undefined: it waits until the lock is free
 * @throws JournalLockedError
 */
export async function whenUnlocked<T>(
    attempt: () => T | typeof LOCKED,
    told: () => void,
    timeout: LockTimeout | undefined,
): Promise<T> {
    const since = performance.now();
    for (let wait = 1; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
        const result = attempt();
        if (result !== LOCKED) return result;
        const waited = performance.now() - since;
        if (timeout && (timeout.signal?.aborted || waited > timeout.milliseconds))
            throw new JournalLockedError();
        if (waited > NOTABLE_LOCK) told();
        await delay(wait * (0.5 + Math.random()));
    }
}
