import type { ActiveRun } from '../runs/active_run.js';
import type { Shutdown } from './shutdown.js';

/** One life of the bot, from a start to the stop that follows. */
export class Session {
    /** Resolves when the bot has stopped; rejects when it could not start. */
    readonly ended: Promise<void>;
    /** Resolves when a stop begins. */
    readonly stopping: Promise<Shutdown>;
    #announceStop: (shutdown: Shutdown) => void = () => {};
    #shutdown: Shutdown | undefined;
    #isOver = false;

    /**
     * @param previous the life before, whose end is waited for
     * @param live what the bot does in this one
     */
    constructor(previous: Session | undefined, live: (session: Session) => Promise<void>) {
        this.stopping = new Promise((resolve) => {
            this.#announceStop = resolve;
        });
        const before = previous?.ended.catch(() => {}) ?? Promise.resolve();
        this.ended = before
            .then(() => live(this))
            .finally(() => {
                this.#isOver = true;
            });
    }

    /** Whether it goes on, and no stop has begun. */
    get isOpen(): boolean {
        return !this.#isOver && this.#shutdown === undefined;
    }

    /**
     * Begins the stop, unless it has begun, and waits for it.
     *
     * @param begin makes the shutdown
     * @param caller the run whose job waits; it is not waited for
     * @returns a promise that resolves when the bot has stopped
     */
    stop(begin: () => Shutdown, caller: ActiveRun | undefined): Promise<void> {
        if (this.isOpen) {
            this.#shutdown = begin();
            this.#announceStop(this.#shutdown);
        }
        if (caller && this.#shutdown) return this.#shutdown.wait(caller);
        return this.ended.catch(() => {});
    }
}
