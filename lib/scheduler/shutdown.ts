import type { ActiveRun } from '../runs/active_run.js';
import type { Emit } from '../runs/events.js';
import type { RunsInFlight } from '../runs/runs_in_flight.js';
import type { Clock } from '../time/clock.js';

/** How long aborted runs may still take to end, in milliseconds. */
const GRACE = 3_000;

/** The end of a session of the bot: nothing new starts, and what runs is waited for, but not for ever. */
export class Shutdown {
    readonly #stoppers = new Set<ActiveRun>();
    readonly #waiting = new Set<{ isOver: () => boolean; resolve: () => void }>();
    readonly #cancel: (() => void)[];
    #gaveUp = false;

    /**
     * @param inFlight what runs
     * @param clock the time for the patience
     * @param emit hears of what is abandoned
     * @param patience how long runs may go on before their signals are aborted, in milliseconds
     */
    constructor(
        private readonly inFlight: RunsInFlight,
        clock: Clock,
        emit: Emit,
        patience: number,
    ) {
        inFlight.close();
        this.#cancel = [
            inFlight.onEnd(() => this.#check()),
            clock.after(patience, () => {
                for (const active of this.inFlight.all) active.abort('stopping');
            }),
            clock.after(patience + GRACE, () => {
                this.#gaveUp = true;
                for (const { run } of this.inFlight.all) {
                    emit({ type: 'run-abandoned', run, age: clock.now() - (run.startedAt ?? clock.now()) });
                }
                this.#check();
            }),
        ];
        this.#check();
    }

    /**
     * Waits for the end.
     *
     * @param caller the run whose job waits here; it is not waited for, nor are the runs that wait for it
     * @returns a promise that resolves when all others have ended, or were abandoned
     */
    wait(caller?: ActiveRun): Promise<void> {
        for (let run = caller; run; run = run.parent) this.#stoppers.add(run);
        const isExempt = (active: ActiveRun) => caller !== undefined && this.#stoppers.has(active);
        const isOver = () => this.#gaveUp || [...this.inFlight.all].every(isExempt);
        return new Promise((resolve) => {
            this.#waiting.add({ isOver, resolve });
            this.#check();
        });
    }

    #check(): void {
        for (const waiter of [...this.#waiting]) {
            if (!waiter.isOver()) continue;
            this.#waiting.delete(waiter);
            waiter.resolve();
        }
        if (this.#gaveUp || this.inFlight.all.size === 0)
            for (const cancel of this.#cancel.splice(0)) cancel();
    }
}
