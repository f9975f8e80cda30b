import { MOST_CATCH_UPS } from '../missed.js';
import { laneOf, type Run } from '../run.js';
import type { Engine } from './engine.js';

/** How many claims a lane keeps: as many as can be caught up at once. The bot looks at no older slot again. */
const MOST_CLAIMS = MOST_CATCH_UPS;

/** The engine in the server's own process. It remembers claims in memory: they end with the process. */
export class EmbeddedEngine implements Engine {
    readonly description = 'embedded, in memory';

    /** The newest claimed slots of each lane, oldest first. */
    readonly #claims = new Map<string, number[]>();

    claim(run: Run): boolean {
        if (run.manual || run.scheduledAt === undefined) return true;
        const lane = laneOf(run);
        const claimed = this.#claims.get(lane) ?? [];
        if (claimed.includes(run.scheduledAt)) return false;
        claimed.push(run.scheduledAt);
        if (claimed.length > MOST_CLAIMS) claimed.shift();
        this.#claims.set(lane, claimed);
        return true;
    }

    voidClaimsAfter(second: number): void {
        for (const [lane, claimed] of this.#claims) {
            this.#claims.set(
                lane,
                claimed.filter((slot) => slot <= second),
            );
        }
    }

    finished(): void {}
}
