import { ifAway } from './link.js';

/** Writes that have to come to Redis, now or as soon as it is back: how runs ended, above all. */
export class Outbox {
    readonly #waiting = new Map<unknown, () => Promise<void>>();
    readonly #sending = new Set<Promise<void>>();

    /**
     * Does a write; where Redis is away, later.
     *
     * @param write may be done twice
     * @param subject what it is about: of several that wait, only the newest is done; none: each is
     * @returns a promise that resolves when it is done, or waits
     */
    send(write: () => Promise<void>, subject?: string): Promise<void> {
        return this.#try(write, () => this.add(write, subject));
    }

    /** Waits until all that was sent is done, or waits for Redis. */
    async sent(): Promise<void> {
        await Promise.all(this.#sending);
    }

    /** Keeps a write for when Redis is back. */
    add(write: () => Promise<void>, subject: unknown = Symbol('its own')): void {
        this.#waiting.delete(subject);
        this.#waiting.set(subject, write);
    }

    /** Does what waits, in order, as far as Redis goes along. */
    async flush(): Promise<void> {
        const waiting = [...this.#waiting];
        this.#waiting.clear();
        for (const [subject, write] of waiting) {
            await this.#try(write, () => {
                // One that came meanwhile is newer.
                if (!this.#waiting.has(subject)) this.add(write, subject);
            });
        }
    }

    #try(write: () => Promise<void>, whenAway: () => void): Promise<void> {
        const sending = write()
            .catch((error) => {
                ifAway(undefined)(error);
                whenAway();
            })
            .finally(() => this.#sending.delete(sending));
        this.#sending.add(sending);
        return sending;
    }
}
