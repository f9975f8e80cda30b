import type { JobPlan } from '../jobs/job_plan.js';
import { type Clock, sleep } from '../time/clock.js';
import { ActiveRun, runStorage, type Sequence } from './active_run.js';
import type { ClaimAnswer, Engine } from './engine.js';
import type { Emit, GiveUpReason, SkipReason } from './events.js';
import { Lanes } from './lanes.js';
import type { Run } from './run.js';
import { Runner } from './runner.js';

/** What hears of a run's way. */
export interface Steps {
    /** It has to wait for its lane, and needs no turn for that. */
    readonly parked?: () => void;
    /** It starts, or was skipped for good. */
    readonly decided?: (() => void) | undefined;
}

const NEVER = new AbortController().signal;

/** How often a run asks again whose lane another process has taken, in milliseconds. */
const ASK_EVERY = 250;

const REFUSALS: Record<Exclude<ClaimAnswer, 'granted'>, SkipReason> = {
    taken: 'claimed elsewhere',
    superseded: 'superseded',
    busy: 'overlap',
    paused: 'paused',
    'journal locked': 'journal locked',
    'no journal': 'no journal',
};

/** The runs that have started and not ended. Each is seen through from its lane and its claim to its outcome. */
export class RunsInFlight {
    readonly lanes: Lanes;
    readonly #runs = new Set<ActiveRun>();
    readonly #runner: Runner;
    readonly #endListeners = new Set<() => void>();
    /** Aborted while no scheduled run may start. */
    #closing = new AbortController();

    /**
     * @param engine asked for each time: the config, which names it, is read late
     * @param random a number from 0 up to 1, for the jitter of retries
     */
    constructor(
        private readonly clock: Clock,
        private readonly emit: Emit,
        private readonly engine: () => Engine,
        random: () => number,
    ) {
        this.lanes = new Lanes(emit, () => clock.now());
        this.#runner = new Runner(clock, emit, random, (run, delay) => engine().retrying(run, delay));
    }

    /** All of them, those that wait for a retry included. */
    get all(): ReadonlySet<ActiveRun> {
        return this.#runs;
    }

    /** How many are being executed; those that wait for a retry are not. */
    get executing(): number {
        return [...this.#runs].filter(({ retryingSince }) => retryingSince === undefined).length;
    }

    /** A signal that is aborted from when on no run of this kind may start: manual ones may when the bot stops. */
    closing(manual: boolean): AbortSignal {
        return manual ? NEVER : this.#closing.signal;
    }

    /**
     * Makes a run ready to be performed. The run whose job asks for it is its parent.
     *
     * @param sequence equal for runs that catch up one after another
     */
    activate(run: Run, plan: JobPlan, sequence: Sequence): ActiveRun {
        return new ActiveRun(run, plan, sequence, runStorage.getStore(), this.emit);
    }

    /**
     * Sees one run through: lane, claim, execution, outcome.
     *
     * @returns a promise that resolves when it has ended, was skipped, or is tried again elsewhere; it never rejects
     */
    async perform(active: ActiveRun, { parked, decided }: Steps = {}): Promise<void> {
        const { run, sequence } = active;
        const skip = (reason: SkipReason) => {
            if (reason !== 'stopping') decided?.();
            this.skip(run, reason);
        };
        const admission = await this.lanes.enter(active, parked);
        if (admission !== 'entered') return skip(admission);
        this.#runs.add(active);
        const { interrupt } = sequence;
        const abort = () => active.abort('interrupted');
        interrupt?.addEventListener('abort', abort);
        try {
            if (interrupt?.aborted) return skip('interrupted');
            if (this.closing(run.manual).aborted) return skip('stopping');
            const refusal = active.isClaimed ? undefined : await this.#claim(active);
            if (refusal) return skip(refusal);
            decided?.();
            await this.#runner.execute(active);
            if (run.outcome === undefined) return;
            await this.engine().finished(run);
            this.emit({ type: 'run-ended', run });
        } finally {
            interrupt?.removeEventListener('abort', abort);
            this.#runs.delete(active);
            this.lanes.leave(active);
            for (const listener of this.#endListeners) listener();
        }
    }

    /**
     * Calls back whenever a run has ended, and left `all`.
     *
     * @returns a function that ends this
     */
    onEnd(listener: () => void): () => void {
        this.#endListeners.add(listener);
        return () => this.#endListeners.delete(listener);
    }

    /** From now on no scheduled run starts; runs that wait for a retry end as aborted. */
    close(): void {
        this.#closing.abort();
        this.lanes.dismissWaiting();
        for (const active of this.#runs) {
            if (active.retryingSince !== undefined) active.abort('stopping');
        }
    }

    /** Scheduled runs may start again. */
    open(): void {
        this.#closing = new AbortController();
    }

    /** Notes that a run does not start. */
    skip(run: Run, reason: SkipReason): void {
        run.outcome = 'skipped';
        run.reason = reason;
        this.engine().skipped(run);
        this.emit({ type: 'run-ended', run });
    }

    /** Notes all of them as aborted, because the process ends here: others would take them for running. */
    giveUp(reason: GiveUpReason): void {
        for (const { run } of this.#runs) {
            if (run.startedAt === undefined || run.outcome !== undefined) continue;
            Object.assign(run, { outcome: 'aborted', reason, endedAt: this.clock.now() });
            void this.engine().finished(run);
            this.emit({ type: 'run-ended', run });
        }
    }

    // Nobody can abort another process's run: a run that would replace it waits for it, as one that queues, or catches up.
    async #claim(active: ActiveRun): Promise<SkipReason | undefined> {
        const { run, plan, sequence } = active;
        const { overlap } = plan.settings;
        const waits = !run.manual && (overlap === 'queue' || overlap === 'replace' || sequence.catchesUp);
        const closing = this.closing(run.manual);
        for (;;) {
            const answer = await this.engine().claim(run, overlap !== 'allow');
            if (answer === 'granted') return undefined;
            if (sequence.interrupt?.aborted) return 'interrupted';
            if (answer !== 'busy' || !waits) return REFUSALS[answer];
            await sleep(this.clock, ASK_EVERY, closing, active.aborted);
            if (closing.aborted) return 'stopping';
            if (active.abortReason) return 'superseded';
        }
    }
}
