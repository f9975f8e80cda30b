import { Project } from '../framework.js';
import { BackgroundJob } from '../jobs/background_job.js';
import { brokenFileProblems } from '../jobs/job_plan.js';
import type { Emit } from '../runs/events.js';
import type { RunsInFlight } from '../runs/runs_in_flight.js';
import type { Clock } from '../time/clock.js';
import type { Dispatcher } from './dispatcher.js';
import type { Equipment } from './equipment.js';
import { Ticker } from './ticker.js';
import { Watch } from './watch.js';

/** What a shift works with. */
export interface ShiftParts {
    readonly clock: Clock;
    readonly emit: Emit;
    readonly equipment: Equipment;
    readonly dispatcher: Dispatcher;
    readonly inFlight: RunsInFlight;
}

/** The bot's work from a start to the stop that follows: it looks at each second. */
export class Shift {
    readonly #ticker: Ticker;
    #watch: Watch | undefined;

    /**
     * @param parts what it works with; the config is read, and the engine open
     * @param reached the last second that the shift before has looked at, if there was one
     */
    constructor(
        private readonly parts: ShiftParts,
        reached?: number,
    ) {
        this.#ticker = new Ticker(parts.clock, reached);
    }

    /** The last second that was looked at; unix seconds. */
    get reached(): number {
        return this.#ticker.last;
    }

    /**
     * Begins: tells what is wrong with the jobs, takes up what is owed, and looks at each second from then on.
     *
     * @param isWanted whether nobody has asked for its end meanwhile
     */
    async begin(isWanted: () => boolean): Promise<void> {
        const { emit, equipment, dispatcher, inFlight } = this.parts;
        const { engine, config } = equipment;
        for (const problem of brokenFileProblems()) emit({ type: 'job-invalid', problem });
        if (BackgroundJob.names.length === 0) await this.#lookForFiles();
        const { plans, size, next } = equipment.renewCatalog(this.reached);
        const catalog = () => equipment.current();
        const watch = new Watch({ catalog, dispatcher, inFlight, engine, emit, config });
        const owed = config.role === 'worker' ? undefined : await watch.owedSince(this.reached);
        emit({
            type: 'bot-started',
            jobs: plans.length,
            schedules: size,
            next,
            engine: engine.description,
        });
        if (!isWanted()) return;
        engine.watch();
        if (!owed) return;
        this.#watch = watch;
        void watch.take(owed);
        this.#ticker.start(watch);
    }

    /** Takes up what became due while the engine's store could not be reached. */
    recover(): void {
        void this.#watch?.recover(() => this.reached);
    }

    /** Looks at no more seconds. */
    end(): void {
        this.#ticker.stop();
        this.#watch = undefined;
    }

    // An app that has files, and no jobs, would be silent otherwise.
    async #lookForFiles(): Promise<void> {
        const { filesNotImported } = await import('../check/folder.js');
        const { rootPath } = await Project.instance;
        const message = rootPath && (await filesNotImported(rootPath, brokenFileProblems()));
        if (message) this.parts.emit({ type: 'files-not-imported', message });
    }
}
