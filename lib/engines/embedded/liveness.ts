import type { EngineHost } from '../../runs/engine.js';
import type { Run } from '../../runs/run.js';
import { FORGET_EVERY, Liveness, type LostRun } from '../liveness.js';
import type { Owner } from '../owner.js';
import type { Database } from './database.js';
import { type Journal, orElse } from './journal.js';
import { pausedJobs } from './pauses.js';
import { beat, beats, forgetProcess } from './processes.js';
import { forgetSome } from './retention.js';
import { giveUpRun, unfinishedRunsOf } from './runs.js';

interface Beat {
    readonly paused: ReadonlySet<string>;
    readonly beats: ReadonlyMap<string, number>;
}

/** Who is alive, as the journal has it. */
export class JournalLiveness extends Liveness {
    #isMoreToForget = false;

    /** @param noticePauses told at each beat which jobs are paused */
    constructor(
        host: EngineHost,
        owner: Owner,
        private readonly journal: Journal,
        isBusy: () => boolean,
        adopt: (run: Run, row?: number) => void,
        private readonly noticePauses: (paused: ReadonlySet<string>) => void,
    ) {
        super(host, owner, isBusy, adopt);
    }

    /**
     * Beats for the first time.
     *
     * @throws JournalLockedError
     */
    async begin(): Promise<void> {
        await this.#take(this.journal.write<Beat | undefined>(this.#beat).catch(orElse(undefined)));
    }

    async beat(): Promise<void> {
        await this.#take(this.journal.record<Beat | undefined>(this.#beat, undefined));
    }

    // In memory nobody else could see it.
    override keepBeating(): void {
        if (!this.journal.isInMemory) super.keepBeating();
    }

    /** Forgets some of what is too old or too much; the rest at the next beats. */
    async forget(): Promise<void> {
        this.#isMoreToForget = await this.journal.record(
            (database) => forgetSome(database, this.host.journal, this.host.clock.now()),
            false,
        );
    }

    protected async tidy(beats: number): Promise<void> {
        if (this.#isMoreToForget || beats % FORGET_EVERY === 0) await this.forget();
    }

    protected giveUp(process: string, lastBeat: number, at: number): Promise<readonly LostRun[]> {
        return this.journal.record<readonly LostRun[]>((database) => {
            // It may have come to life again since.
            if (beats(database).get(process) !== lastBeat) return [];
            const found = unfinishedRunsOf(database, process).map((lost) => {
                const next = this.host.retryOf(lost.run);
                const again = next && { run: next, by: this.owner };
                return { run: lost.run, next, ...giveUpRun(database, lost, at, again) };
            });
            forgetProcess(database, process);
            return found.filter(({ isLost }) => isLost);
        }, []);
    }

    readonly #beat = (database: Database): Beat => {
        beat(database, this.owner, this.host.clock.now());
        return { paused: pausedJobs(database), beats: beats(database) };
    };

    async #take(beat: Promise<Beat | undefined>): Promise<void> {
        const found = await beat;
        if (!found) return;
        this.noticePauses(found.paused);
        await this.judge(found.beats);
    }
}
