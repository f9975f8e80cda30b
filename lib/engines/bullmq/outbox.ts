import { RedisAwayError } from './link.js';

/** Writes that have to come to Redis, now or as soon as it is back: how runs ended, above all. */
export class Outbox {
    readonly #waiting: (() => Promise<void>)[] = [];

    /**
     * Does a write; where Redis is away, later.
     *
     * @param write may be done twice
     * @returns a promise that resolves when it is done, or waits
     */
    async send(write: () => Promise<void>): Promise<void> {
        try {
            await write();
        } catch (error) {
            if (!(error instanceof RedisAwayError)) throw error;
            this.add(write);
        }
    }

    /** Keeps a write for when Redis is back. */
    add(write: () => Promise<void>): void {
        this.#waiting.push(write);
    }

    /** Does what waits, in order, as far as Redis goes along. */
    async flush(): Promise<void> {
        for (const write of this.#waiting.splice(0)) await this.send(write);
    }
}
