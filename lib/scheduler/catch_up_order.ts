/** A job's catch-up on its way into the queue. */
export interface PlaceInOrder {
    /** Resolves when all that the same job began to catch up on before is there. */
    readonly older: Promise<void>;
    /** It is in the queue, or is no longer waited for. */
    end(): void;
}

/** Sees to it that what a job catches up on goes into the queue before anything newer: that would supersede it there. */
export class CatchUpOrder {
    readonly #last = new Map<string, Promise<void>>();

    /** Takes a place for a job's catch-up: what comes later waits for it. */
    begin(job: string): PlaceInOrder {
        const older = this.#last.get(job) ?? Promise.resolve();
        let end = () => {};
        const own = new Promise<void>((resolve) => {
            end = resolve;
        });
        const both = Promise.all([older, own]).then(() => {
            if (this.#last.get(job) === both) this.#last.delete(job);
        });
        this.#last.set(job, both);
        return { older, end };
    }

    /** The end of all that a job has yet to catch up on; undefined: nothing. */
    pending(job: string): Promise<void> | undefined {
        return this.#last.get(job);
    }
}
