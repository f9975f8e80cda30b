import { RedisAwayError } from './link.js';

/** Writes that have to come to Redis, now or as soon as it is back: how runs ended, above all. */
export class Outbox {
    readonly #waiting: (() => Promise<void>)[] = [];
    readonly #sending = new Set<Promise<void>>();

    /**
     * Does a write; where Redis is away, later.
     *
     * @param write may be done twice
     * @returns a promise that resolves when it is done, or waits
     */
    send(write: () => Promise<void>): Promise<void> {
        const sending = this.#try(write).finally(() => this.#sending.delete(sending));
        this.#sending.add(sending);
        return sending;
    }

    /** Waits until all that was sent is done, or waits for Redis. */
    async sent(): Promise<void> {
        await Promise.all(this.#sending);
    }

    /** Keeps a write for when Redis is back. */
    add(write: () => Promise<void>): void {
        this.#waiting.push(write);
    }

    async #try(write: () => Promise<void>): Promise<void> {
        try {
            await write();
        } catch (error) {
            if (!(error instanceof RedisAwayError)) throw error;
            this.add(write);
        }
    }

    /** Does what waits, in order, as far as Redis goes along. */
    async flush(): Promise<void> {
        for (const write of this.#waiting.splice(0)) await this.send(write);
    }
}
