/** How long somebody who looks on waits for a lock that another process has. */
export interface Patience {
    /** In milliseconds. */
    readonly longest: number;
    /** Once aborted, the wait is over. */
    readonly signal?: AbortSignal | undefined;
}

/** How long a command waits for it, in milliseconds. */
export const LONGEST_LOCK = 12_000;

/** A journal that another process kept locked for longer than somebody wanted to wait. */
export class JournalLockedError extends Error {
    override readonly name = 'JournalLockedError';

    constructor() {
        super('Another process keeps the journal locked: nothing was run, and nothing was changed.');
    }
}

/**
 * Ends a wait for a lock that has taken too long.
 *
 * @param patience whose; undefined: it is endless
 * @param since when the wait began, by `performance.now()`
 * @throws JournalLockedError where the patience is at its end
 */
export function checkPatience(patience: Patience | undefined, since: number): void {
    if (!patience) return;
    if (patience.signal?.aborted || performance.now() - since > patience.longest)
        throw new JournalLockedError();
}
