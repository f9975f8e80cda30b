import type { ActiveRun } from '../runs/active_run.js';
import type { Emit } from '../runs/events.js';
import type { Worker } from '../runs/worker.js';
import type { Clock } from '../time/clock.js';

/** How long aborted runs may still take to end, in milliseconds. */
const GRACE = 3_000;

/** Nothing new starts, and what runs is waited for, but not for ever. */
export class Shutdown {
    readonly #stoppers = new Set<ActiveRun>();
    readonly #waiting = new Set<{ isOver: () => boolean; resolve: () => void }>();
    readonly #cancel: (() => void)[];
    #gaveUp = false;

    /** @param timeout how long runs may go on before their signals are aborted, in milliseconds */
    constructor(
        private readonly worker: Worker,
        clock: Clock,
        emit: Emit,
        timeout: number,
    ) {
        this.#cancel = [
            worker.onEnd(() => this.#check()),
            clock.after(timeout, () => {
                for (const active of worker.runs) active.abort('stopping');
            }),
            clock.after(timeout + GRACE, () => {
                this.#gaveUp = true;
                const now = clock.now();
                for (const { run } of worker.runs)
                    emit({ type: 'run-abandoned', run, age: now - (run.startedAt ?? now) });
                this.#check();
            }),
        ];
        this.#check();
    }

    /**
     * Resolves when all runs have ended, or were abandoned.
     *
     * @param caller the run whose job waits here; it is not waited for, nor are the runs that wait for it
     */
    wait(caller?: ActiveRun): Promise<void> {
        for (let run = caller; run; run = run.parent) this.#stoppers.add(run);
        const isExempt = (active: ActiveRun) => caller !== undefined && this.#stoppers.has(active);
        const isOver = () => this.#gaveUp || [...this.worker.runs].every(isExempt);
        return new Promise((resolve) => {
            this.#waiting.add({ isOver, resolve });
            this.#check();
        });
    }

    #check(): void {
        for (const waiter of this.#waiting) {
            if (!waiter.isOver()) continue;
            this.#waiting.delete(waiter);
            waiter.resolve();
        }
        if (this.#gaveUp || this.worker.runs.size === 0)
            for (const cancel of this.#cancel.splice(0)) cancel();
    }
}
