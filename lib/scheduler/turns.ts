import { type Clock, sleep } from '../time/clock.js';

/** One place in the order of a second, as its item sees it. */
export interface Turn {
    /** Keeps the turn until something is over, but no longer than its length: whoever comes next then goes beside it. */
    hold(work: Promise<unknown>): Promise<void>;
    /** Waits for something the item cannot go on without; the turn is lost to the next item if that takes too long. */
    need<T>(work: Promise<T>): Promise<T>;
}

/** How turns are given. */
export interface TurnRules {
    /** How many items may have their turn at once. */
    readonly concurrency: number;
    /** How long a turn lasts, in milliseconds. */
    readonly length: number;
    readonly clock: Clock;
    /** Once aborted, nobody keeps a turn any more. */
    readonly hurry: AbortSignal;
}

/**
 * Lets items go one after another.
 *
 * @param items what to do, in order; an item's promise never rejects
 * @returns a promise that resolves when every item is through
 */
export async function takeTurns(
    items: readonly ((turn: Turn) => Promise<void>)[],
    rules: TurnRules,
): Promise<void> {
    const queue = items.values();
    const through: Promise<void>[] = [];
    const workers = Array.from({ length: Math.min(rules.concurrency, items.length) }, async () => {
        for (const item of queue) {
            await new Promise<void>((next) => {
                const done = item(createTurn(rules, next));
                through.push(done);
                void done.then(next);
            });
        }
    });
    await Promise.all(workers);
    await Promise.all(through);
}

function createTurn({ length, clock, hurry }: TurnRules, lose: () => void): Turn {
    return {
        async hold(work) {
            const over = new AbortController();
            void work.then(() => over.abort());
            await sleep(clock, length, over.signal, hurry);
        },
        async need(work) {
            const cancel = clock.after(length, lose);
            try {
                return await work;
            } finally {
                cancel();
            }
        },
    };
}
