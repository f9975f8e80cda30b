import type { ActiveRun } from '../runs/active_run.js';
import type { Runtime } from './runtime.js';

/** How long aborted runs may still take to end, in milliseconds. */
const GRACE = 3_000;

/** Waits for runs until `bot.stopTimeout` is over; then aborts them, and after a while more gives them up. */
export class Shutdown {
    readonly #stoppers = new Set<ActiveRun>();
    readonly #waiting = new Set<{ isOver: () => boolean; resolve: () => void }>();
    readonly #cancel: (() => void)[];
    #gaveUp = false;

    constructor(private readonly runtime: Runtime) {
        const { worker, clock, config } = runtime;
        this.#cancel = [
            worker.onEnd(() => this.#check()),
            clock.after(config.stopTimeout, () => {
                for (const active of worker.runs) active.abort('stopping');
            }),
            clock.after(config.stopTimeout + GRACE, () => this.#giveUp()),
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
        const isOver = () => this.#gaveUp || [...this.runtime.worker.runs].every(isExempt);
        return new Promise((resolve) => {
            this.#waiting.add({ isOver, resolve });
            this.#check();
        });
    }

    #giveUp(): void {
        const { worker, clock, emit } = this.runtime;
        this.#gaveUp = true;
        for (const active of worker.runs)
            emit({ type: 'run-abandoned', run: active.run, age: active.age(clock.now()) });
        this.#check();
    }

    #check(): void {
        for (const waiter of this.#waiting) {
            if (!waiter.isOver()) continue;
            this.#waiting.delete(waiter);
            waiter.resolve();
        }
        if (this.#gaveUp || this.runtime.worker.runs.size === 0)
            for (const cancel of this.#cancel.splice(0)) cancel();
    }
}
