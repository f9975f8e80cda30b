import type { EngineHost } from '../runs/engine.js';
import type { Run } from '../runs/run.js';
import { Leases } from './leases.js';
import type { Owner } from './owner.js';
import { PROCESS_DIED } from './records.js';

/** How often a process shows that it is alive, and looks at the others, in milliseconds. */
const BEAT = 1_000;

/** How often what is too old is forgotten: each so many beats. */
export const FORGET_EVERY = 3_600;

/** A run whose process died, and the one that takes its place, with the number of its row where it has one. */
export interface LostRun {
    readonly run: Run;
    readonly next: Run | undefined;
    readonly row?: number | undefined;
}

/**
 * Beats each second while there is a reason to - the engine is started, or a run of this process is going -, finds out
 * which other processes are dead, and sees to what they left behind.
 */
export abstract class Liveness {
    #isWatching = false;
    #cancel: (() => void) | undefined;
    #beats = 0;
    readonly #leases = new Leases();

    /**
     * @param owner this process
     * @param isBusy whether a run of it is going: others would take a silent process for dead
     * @param adopt told of a run that takes the place of a lost one
     */
    constructor(
        protected readonly host: EngineHost,
        protected readonly owner: Owner,
        private readonly isBusy: () => boolean,
        private readonly adopt: (run: Run, row?: number) => void,
    ) {}

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
    unwatch(): void {
        this.#isWatching = false;
    }

    /** Ends it. */
    end(): void {
        this.#cancel?.();
        this.#cancel = undefined;
    }

    /** Beats on, for as long as there is a reason to. */
    keepBeating(): void {
        this.#cancel ??= this.host.clock.after(BEAT, () => {
            this.#cancel = undefined;
            if (!this.#isWatching && !this.isBusy()) return;
            this.keepBeating();
            void this.beat();
        });
    }

    /** Shows life, and takes a look. */
    abstract beat(): Promise<void>;

    /** Does what is to be done once in so many beats. */
    protected abstract tidy(beats: number): Promise<void>;

    /** Gives up the runs of a dead process whose beat is still this, and starts those that take their place. */
    protected abstract giveUp(process: string, lastBeat: number, at: number): Promise<readonly LostRun[]>;

    /** @param beats each process's counter */
    protected async judge(beats: ReadonlyMap<string, number>): Promise<void> {
        const now = this.host.clock.now();
        const others = new Map(beats);
        others.delete(this.owner.id);
        const dead = this.#leases.look(others, now);
        if (!this.#isWatching) return;
        await this.tidy(this.#beats++);
        for (const process of dead) {
            for (const { run, next, row } of await this.giveUp(process, others.get(process) ?? 0, now)) {
                tellLost(run, now, this.host);
                if (next) this.adopt(next, row);
            }
        }
    }
}

/** Notes that a run is lost, and tells of it. */
export function tellLost(run: Run, endedAt: number, { emit }: EngineHost): void {
    Object.assign(run, { outcome: 'lost', reason: PROCESS_DIED, endedAt });
    emit({ type: 'run-ended', run });
}
