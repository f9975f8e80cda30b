import type { Clock } from '../time/clock.js';

/** How often a process shows that it is alive, and looks at the others, in milliseconds. */
const BEAT = 1_000;

/** What a heart beats for. */
export interface HeartbeatParts {
    readonly clock: Clock;
    /** Whether a run of this process is going: others would take a silent process for dead. */
    isBusy(): boolean;
    /** Whether any other process could see it. */
    isSeen(): boolean;
    /** Shows life, and takes a look. */
    beat(): void;
}

/** Beats each second while there is a reason to: the process takes part, or a run of it is going. */
export class Heartbeat {
    #isWatching = false;
    #cancel: (() => void) | undefined;

    constructor(private readonly parts: HeartbeatParts) {}

    /** Whether the process looks at the others. */
    get isWatching(): boolean {
        return this.#isWatching;
    }

    /** From now on looks at the others, too, and beats whether a run is going or not. */
    watch(): void {
        this.#isWatching = true;
        this.keepBeating();
    }

    /** Looks at the others no more; beats as long as a run is going. */
    rest(): void {
        this.#isWatching = false;
    }

    /** Ends it. */
    stop(): void {
        this.#cancel?.();
        this.#cancel = undefined;
    }

    /** Beats on, for as long as there is a reason to. */
    keepBeating(): void {
        if (!this.parts.isSeen()) return;
        this.#cancel ??= this.parts.clock.after(BEAT, () => {
            this.#cancel = undefined;
            if (!this.#isWatching && !this.parts.isBusy()) return;
            this.keepBeating();
            this.parts.beat();
        });
    }
}
