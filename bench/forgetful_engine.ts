import { JournalHistory } from '../lib/engines/embedded/history.js';
import type { ClaimAnswer, Engine } from '../lib/runs/engine.js';
import type { History } from '../lib/runs/history.js';
import { laneOf, type Run } from '../lib/runs/run.js';

/** An engine that claims in memory and records nothing: what runs cost without a journal. */
export class ForgetfulEngine implements Engine {
    readonly description = 'forgetful';
    readonly #claimed = new Map<string, number>();

    async claim(run: Run): Promise<ClaimAnswer> {
        if (run.manual || run.scheduledAt === undefined) return 'granted';
        const lane = laneOf(run);
        if (run.scheduledAt <= (this.#claimed.get(lane) ?? Number.NEGATIVE_INFINITY)) return 'taken';
        this.#claimed.set(lane, run.scheduledAt);
        return 'granted';
    }

    async open(): Promise<void> {}
    start(): void {}
    stop(): void {}
    async history(): Promise<History> {
        return new JournalHistory(false, undefined);
    }
    async close(): Promise<void> {}
    retrying(): false {
        return false;
    }
    async finished(): Promise<void> {}
    skipped(): void {}
    async unrun(): Promise<void> {}
    async handledUntil(): Promise<Map<string, number>> {
        return new Map();
    }
    async latestHandled(): Promise<undefined> {}
    handled(): void {}
    async voidClaimsAfter(): Promise<void> {}
    isPaused(): boolean {
        return false;
    }
    async pausedJobs(): Promise<string[]> {
        return [];
    }
    async pause(): Promise<void> {}
    async resume(): Promise<void> {}
}
