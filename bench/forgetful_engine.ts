import { JournalHistory } from '../lib/engines/embedded/history.js';
import type { ClaimAnswer, Engine } from '../lib/runs/engine.js';
import type { History } from '../lib/runs/history.js';
import { laneOf, type Run } from '../lib/runs/run.js';

/** An engine that claims in memory and records nothing: what runs cost without a journal. */
export class ForgetfulEngine implements Engine {
    readonly description = 'forgetful';
    readonly #claimed = new Map<string, number>();

    claim(run: Run): ClaimAnswer {
        if (run.manual || run.scheduledAt === undefined) return 'granted';
        const lane = laneOf(run);
        if (run.scheduledAt <= (this.#claimed.get(lane) ?? Number.NEGATIVE_INFINITY)) return 'taken';
        this.#claimed.set(lane, run.scheduledAt);
        return 'granted';
    }

    open(): void {}
    watch(): void {}
    async history(): Promise<History> {
        return new JournalHistory(false, undefined);
    }
    close(): void {}
    rest(): void {}
    retrying(): false {
        return false;
    }
    finished(): void {}
    skipped(): void {}
    unrun(): void {}
    settledUntil(): Map<string, number> {
        return new Map();
    }
    latestSettled(): undefined {}
    settle(): void {}
    voidClaimsAfter(): void {}
    isPaused(): boolean {
        return false;
    }
    pausedJobs(): string[] {
        return [];
    }
    pause(): void {}
    resume(): void {}
}
