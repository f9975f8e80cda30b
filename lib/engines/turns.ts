import type { Clock } from '../time/clock.js';

/** The turns of the runs of this process: of each batch as many at once as `bot.concurrency` allows, each for `bot.turn`. */
export class Turns {
    readonly #held = new Map<number, number>();

    /**
     * @param length of a turn, in milliseconds
     * @param freed told when a turn ended although its run goes on
     */
    constructor(
        private readonly clock: Clock,
        private readonly concurrency: number,
        private readonly length: number,
        private readonly freed: () => void,
    ) {}

    /** How many runs of a batch may begin theirs. */
    room(batch: number): number {
        return this.concurrency - (this.#held.get(batch) ?? 0);
    }

    /** A run of a batch begins its turn; answers how to end it. */
    begin(batch: number): () => void {
        this.#held.set(batch, (this.#held.get(batch) ?? 0) + 1);
        const cancel = this.clock.after(this.length, () => {
            end();
            this.freed();
        });
        let isOver = false;
        const end = () => {
            if (isOver) return;
            isOver = true;
            cancel();
            const left = (this.#held.get(batch) ?? 1) - 1;
            if (left > 0) this.#held.set(batch, left);
            else this.#held.delete(batch);
        };
        return end;
    }
}
