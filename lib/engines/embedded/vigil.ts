import type { EngineHost } from '../../runs/engine.js';
import type { Run } from '../../runs/run.js';
import { andThen } from '../../time/at_once.js';
import type { Patience } from '../../time/patience.js';
import { Heartbeat } from '../heartbeat.js';
import { Leases } from '../leases.js';
import type { Owner } from '../owner.js';
import type { Journal } from './journal.js';
import { pausedJobs } from './pauses.js';
import { beat, beats, forgetProcess } from './processes.js';
import { forgetSome } from './retention.js';
import { giveUpRun, PROCESS_DIED, unfinishedRunsOf } from './runs.js';

/** How often what is too old is forgotten: each so many beats. */
const FORGET_EVERY = 3_600;

/** What is kept watch over. */
export interface VigilParts {
    readonly journal: Journal;
    readonly owner: Owner;
    readonly host: EngineHost;
    /** Whether a run of this process is going: others would take a silent process for dead. */
    isBusy(): boolean;
    /** Told at each beat which jobs are paused. */
    noticePauses(paused: ReadonlySet<string>): void;
    /** Told of a run that takes the place of a lost one, and of the number of its row. */
    adopt(run: Run, seq: number): void;
}

/** Shows that this process is alive, finds out which others are not, and sees to what they left behind. */
export class Vigil {
    readonly #leases = new Leases();
    readonly #heart: Heartbeat;
    #beats = 0;

    constructor(private readonly parts: VigilParts) {
        this.#heart = new Heartbeat({
            clock: parts.host.clock,
            isBusy: () => parts.isBusy(),
            isSeen: () => !parts.journal.isInMemory,
            beat: () => void this.beat(),
        });
    }

    /** When it beats, and whether it looks at the others. */
    get heart(): Heartbeat {
        return this.#heart;
    }

    /**
     * Shows life, and takes a look.
     *
     * @param patience how long to wait for the lock; undefined: until it is free
     * @throws JournalLockedError by its promise
     */
    beat(patience?: Patience): void | Promise<void> {
        const { journal, owner, host } = this.parts;
        const now = host.clock.now();
        const look = journal.tryWrite(
            (database) => {
                beat(database, owner, now);
                return { paused: pausedJobs(database), others: beats(database) };
            },
            undefined,
            patience,
        );
        return andThen(look, (found) => {
            if (!found) return;
            const { paused, others } = found;
            this.parts.noticePauses(paused);
            others.delete(owner.id);
            const dead = this.#leases.look(others, now);
            if (!this.#heart.isWatching) return;
            if (this.#beats++ % FORGET_EVERY === 0) this.forget();
            for (const process of dead) this.#bury(process, others.get(process) ?? 0);
        });
    }

    /** Forgets some of what is too old or too much; the rest at the next beats. */
    forget(): void {
        const { journal, host } = this.parts;
        const rules = { age: host.journal.retention, runs: host.journal.maxRunsPerJob };
        const isMore = journal.tryWrite((database) => forgetSome(database, rules, host.clock.now()), false);
        void andThen(isMore, (more) => {
            if (more) this.#beats = 0;
        });
    }

    #bury(process: string, lastBeat: number): void {
        const { journal, owner, host } = this.parts;
        const at = host.clock.now();
        const buried = journal.tryWrite((database) => {
            // It may have come to life again since.
            if (beats(database).get(process) !== lastBeat) return [];
            const found = unfinishedRunsOf(database, process).map((lost) => {
                const next = host.retryOf(lost.run);
                return {
                    lost: lost.run,
                    next,
                    ...giveUpRun(database, lost, at, next && { run: next, by: owner }),
                };
            });
            forgetProcess(database, process);
            return found.filter(({ isLost }) => isLost);
        }, []);
        void andThen(buried, (found) => {
            for (const { lost, next, seq } of found) {
                Object.assign(lost, { outcome: 'lost', reason: PROCESS_DIED, endedAt: at });
                host.emit({ type: 'run-ended', run: lost });
                if (next && seq !== undefined) this.parts.adopt(next, seq);
            }
        });
    }
}
