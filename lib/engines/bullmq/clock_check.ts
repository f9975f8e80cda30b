import type { EngineHost } from '../../runs/engine.js';
import type { Link } from './link.js';

/** How much a machine's clock may differ from that of Redis, in milliseconds. */
const TOLERANCE = 3_000;

/** Compares this machine's clock with that of Redis, which is one for all machines. */
export class ClockCheck {
    #isTold = false;

    constructor(
        private readonly link: Link,
        private readonly host: EngineHost,
    ) {}

    /**
     * Compares them, and tells of a difference once.
     *
     * @throws RedisAwayError
     */
    async compare(): Promise<void> {
        const { clock, emit } = this.host;
        const before = clock.now();
        const [seconds, microseconds] = await this.link.use((client) => client.time());
        const after = clock.now();
        const theirs = Number(seconds) * 1000 + Number(microseconds) / 1000;
        // It was read somewhere between.
        const difference = theirs < before ? before - theirs : Math.min(0, after - theirs);
        const differs = Math.abs(difference) > TOLERANCE;
        if (differs && !this.#isTold) emit({ type: 'clock-differs', by: Math.round(difference) });
        this.#isTold = differs;
    }
}
