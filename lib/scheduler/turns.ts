import type { Clock } from '../time/clock.js';

/** One place in the order of a second, as its item sees it. */
export interface Turn {
    /**
     * Keeps the turn until something has settled, but no longer than the turn's length: whoever comes next then goes
     * beside it.
     */
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
 * @param rules how
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
            const { turn, lost } = createTurn(rules);
            const done = item(turn);
            through.push(done);
            await Promise.race([done, lost]);
        }
    });
    await Promise.all(workers);
    await Promise.all(through);
}

function createTurn({ length, clock, hurry }: TurnRules): { turn: Turn; lost: Promise<void> } {
    let lose = () => {};
    const lost = new Promise<void>((resolve) => {
        lose = resolve;
    });
    const turn: Turn = {
        hold(work) {
            if (hurry.aborted) return Promise.resolve();
            return new Promise((resolve) => {
                const end = () => {
                    cancel();
                    hurry.removeEventListener('abort', end);
                    resolve();
                };
                const cancel = clock.after(length, end);
                hurry.addEventListener('abort', end);
                work.then(end, end);
            });
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
    return { turn, lost };
}
