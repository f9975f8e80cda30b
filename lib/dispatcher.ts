import { ActiveRun, runStorage } from './active_run.js';
import { Batch } from './batch.js';
import type { Clock } from './clock.js';
import type { BotConfig } from './config.js';
import type { Engine } from './engines/engine.js';
import type { Emit, SkipReason } from './events.js';
import type { JobPlan } from './job_plan.js';
import { Lanes } from './lanes.js';
import { createRun, type Run, type TenantId } from './run.js';
import { Runner } from './runner.js';
import type { Schedule } from './schedule.js';
import { toError } from './stray_errors.js';
import { type Tenancy, tenancyOf } from './tenants.js';
import { type Turn, takeTurns } from './turns.js';

/** A schedule that is due: at one slot, or at several that it catches up on. */
export interface Occurrence {
    readonly plan: JobPlan;
    readonly schedule: Schedule;
    /** Unix seconds, oldest first. */
    readonly slots: readonly number[];
}

/** What the dispatcher is made of. */
export interface DispatcherParts {
    readonly clock: Clock;
    readonly engine: Engine;
    readonly emit: Emit;
    /** A number from 0 up to 1, for the jitter of retries. */
    readonly random: () => number;
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
}

const NEVER = new AbortController().signal;

/** Makes runs of what is due - one for each tenant -, gives them their turns and lanes, and sees them through. */
export class Dispatcher {
    /** The runs that have started and not ended. */
    readonly active = new Set<ActiveRun>();

    readonly lanes: Lanes;
    readonly #runner: Runner;
    readonly #endListeners = new Set<() => void>();
    /** Aborted while no scheduled run may start. */
    #closing = new AbortController();
    #listings = 0;
    #batches = 0;

    constructor(private readonly parts: DispatcherParts) {
        this.lanes = new Lanes(parts.emit, () => parts.clock.now());
        this.#runner = new Runner(parts.clock, parts.emit, parts.random);
    }

    /** Whether all that was dispatched has come to its end. */
    get isIdle(): boolean {
        return this.#batches === 0 && this.active.size === 0;
    }

    /** How many runs are being executed, and jobs whose tenants are being listed; waiting runs do not count. */
    get busy(): number {
        let executing = 0;
        for (const active of this.active) if (active.retryingSince === undefined) executing += 1;
        return this.#listings + executing;
    }

    /**
     * Runs what is due in one second, in the order given.
     *
     * @param occurrences what is due
     * @param rules whether somebody asked for it (manual runs claim no slot), and the config in force
     * @returns a promise of its runs, when all have ended; it never rejects
     */
    async dispatch(
        occurrences: readonly Occurrence[],
        { manual, config }: { manual: boolean; config: BotConfig },
    ): Promise<Run[]> {
        const batch = new Batch(manual);
        this.#batches += 1;
        const items = occurrences.map(
            (occurrence) => (turn: Turn) => this.#occurrence(occurrence, batch, turn),
        );
        await takeTurns(items, {
            concurrency: config.concurrency,
            length: config.turn,
            clock: this.parts.clock,
            hurry: manual ? NEVER : this.#closing.signal,
        });
        await Promise.all(batch.performances);
        this.#batches -= 1;
        return batch.runs;
    }

    /**
     * Makes a run ready to be performed. The run whose job asks for it is its parent.
     *
     * @param run its identity
     * @param plan its job
     * @param sequence equal for runs that catch up one after another
     */
    activate(run: Run, plan: JobPlan, sequence: object): ActiveRun {
        const onStrayError = (of: Run, error: Error) =>
            this.parts.emit({ type: 'stray-error', run: of, error });
        return new ActiveRun(run, plan, sequence, runStorage.getStore(), onStrayError);
    }

    /**
     * Sees one run through: lane, claim, execution, outcome.
     *
     * @param active the run
     * @param parked hears that the run has to wait for its lane, and needs no turn for that
     * @returns a promise that resolves when it has ended, or was skipped; it never rejects
     */
    async perform(active: ActiveRun, parked: () => void = () => {}): Promise<void> {
        const admission = this.lanes.enter(active);
        if (typeof admission !== 'string') parked();
        const admitted = typeof admission === 'string' ? admission : await admission;
        if (admitted !== 'entered') return this.#skip(active.run, admitted);
        this.active.add(active);
        try {
            if (this.#refuses(active.run)) return this.#skip(active.run, 'stopping');
            if (!(await this.parts.engine.claim(active.run)))
                return this.#skip(active.run, 'claimed elsewhere');
            await this.#runner.execute(active);
            await this.parts.engine.finished(active.run);
            this.parts.emit({ type: 'run-ended', run: active.run });
        } finally {
            this.active.delete(active);
            this.lanes.leave(active);
            for (const listener of this.#endListeners) listener();
        }
    }

    /**
     * Calls back whenever a run has ended.
     *
     * @param listener called after the run has left `active`
     * @returns a function that ends this
     */
    onRunEnd(listener: () => void): () => void {
        this.#endListeners.add(listener);
        return () => this.#endListeners.delete(listener);
    }

    /** From now on no scheduled run starts; runs that wait for a retry end as aborted. */
    close(): void {
        this.#closing.abort();
        this.lanes.dismissWaiting();
        for (const active of this.active) {
            if (active.retryingSince !== undefined) active.abort('stopping');
        }
    }

    /** Scheduled runs may start again. */
    open(): void {
        this.#closing = new AbortController();
    }

    async #occurrence({ plan, schedule, slots }: Occurrence, batch: Batch, turn: Turn): Promise<void> {
        const runFor = (tenant: TenantId | undefined, scheduledAt: number) =>
            createRun({
                job: plan.name,
                file: plan.file,
                args: schedule.args,
                tenant,
                scheduledAt,
                manual: batch.manual,
            });
        const skipAll = (reason: SkipReason) => {
            for (const slot of slots) this.#skip(batch.add(runFor(undefined, slot)), reason);
        };

        if (!isForEnvironment(plan, this.parts.environment)) return skipAll('environment');
        let tenancy: Tenancy;
        try {
            tenancy = await turn.need(this.#listTenants(plan));
        } catch (cause) {
            for (const slot of slots) this.#failBeforeStart(batch.add(runFor(undefined, slot)), cause);
            return;
        }
        if (tenancy.kind === 'no tenants table') return skipAll('no tenants table');
        const tenants = tenancy.kind === 'tenants' ? tenancy.ids : [undefined];
        if (tenants.length === 0) return skipAll('no tenants');

        const sequence = {};
        for (const slot of slots) {
            for (const tenant of tenants) {
                const run = runFor(tenant, slot);
                if (!batch.isFirst(run)) continue;
                batch.add(run);
                if (this.#refuses(run)) this.#skip(run, 'stopping');
                else await turn.hold(this.#begin(this.activate(run, plan, sequence), batch));
            }
        }
    }

    async #listTenants({ settings }: JobPlan): Promise<Tenancy> {
        this.#listings += 1;
        try {
            return await tenancyOf(settings);
        } finally {
            this.#listings -= 1;
        }
    }

    // Resolves when the run has ended, or waits for its lane: what waits needs no turn.
    #begin(active: ActiveRun, batch: Batch): Promise<void> {
        return new Promise((resolve) => {
            batch.performances.push(this.perform(active, resolve).then(resolve));
        });
    }

    #refuses(run: Run): boolean {
        return this.#closing.signal.aborted && !run.manual;
    }

    #skip(run: Run, reason: SkipReason): void {
        run.outcome = 'skipped';
        run.reason = reason;
        this.parts.emit({ type: 'run-ended', run });
    }

    #failBeforeStart(run: Run, cause: unknown): void {
        const error = toError(cause);
        run.outcome = 'failed';
        run.error = new Error(`its tenants could not be listed: ${error.message}`, { cause: error });
        run.startedAt = run.endedAt = this.parts.clock.now();
        this.parts.emit({ type: 'run-ended', run });
    }
}

function isForEnvironment({ settings: { environments } }: JobPlan, environment: string): boolean {
    return environments === undefined || environments.includes(environment);
}
