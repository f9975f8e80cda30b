import { ActiveRun, runStorage, type Sequence } from './active_run.js';
import { Batch } from './batch.js';
import { claimRun } from './claims.js';
import type { Clock } from './clock.js';
import type { BotConfig } from './config.js';
import type { Engine } from './engines/engine.js';
import type { Emit, SkipReason } from './events.js';
import type { JobPlan } from './job_plan.js';
import { Lanes } from './lanes.js';
import { createRun, type Run, type TenantId } from './run.js';
import { Runner } from './runner.js';
import type { Schedule } from './schedule.js';
import { type Settlement, Settlements } from './settlements.js';
import { toError } from './stray_errors.js';
import { type Tenancy, tenancyOf } from './tenants.js';
import { type Turn, takeTurns } from './turns.js';

/** A schedule that is due: at one slot, or at several that it catches up on. */
export interface Occurrence {
    readonly plan: JobPlan;
    readonly schedule: Schedule;
    /** Unix seconds, oldest first. */
    readonly slots: readonly number[];
    /** Whether some of them were missed. */
    readonly catchesUp?: boolean;
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

/** What hears of a run's way. */
interface Steps {
    /** It has to wait for its lane, and needs no turn for that. */
    readonly parked?: () => void;
    /** It starts, or was skipped for good. */
    readonly decided?: () => void;
}

/** Where a schedule's runs are made. */
interface Surroundings {
    readonly batch: Batch;
    readonly turn: Turn;
    readonly settlement?: Settlement;
}

const NEVER = new AbortController().signal;

/** Makes runs of what is due - one for each tenant -, gives them their turns and lanes, and sees them through. */
export class Dispatcher {
    /** The runs that have started and not ended. */
    readonly active = new Set<ActiveRun>();

    readonly lanes: Lanes;
    readonly settlements: Settlements;
    readonly #runner: Runner;
    readonly #endListeners = new Set<() => void>();
    /** Aborted while no scheduled run may start. */
    #closing = new AbortController();
    #listings = 0;
    #batches = 0;

    constructor(private readonly parts: DispatcherParts) {
        this.lanes = new Lanes(parts.emit, () => parts.clock.now());
        this.settlements = new Settlements((schedule, until) => parts.engine.settle(schedule, until));
        const emit: Emit = (event) => {
            if (event.type === 'run-retrying') parts.engine.retrying(event.run);
            parts.emit(event);
        };
        this.#runner = new Runner(parts.clock, emit, parts.random);
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
    activate(run: Run, plan: JobPlan, sequence: Sequence): ActiveRun {
        const onStrayError = (of: Run, error: Error) =>
            this.parts.emit({ type: 'stray-error', run: of, error });
        return new ActiveRun(run, plan, sequence, runStorage.getStore(), onStrayError);
    }

    /**
     * Sees one run through: lane, claim, execution, outcome.
     *
     * @param active the run
     * @param steps told how it gets on
     * @returns a promise that resolves when it has ended, or was skipped; it never rejects
     */
    async perform(active: ActiveRun, { parked, decided }: Steps = {}): Promise<void> {
        const skip = (reason: SkipReason) => {
            if (reason !== 'stopping') decided?.();
            this.#skip(active.run, reason);
        };
        const admission = this.lanes.enter(active);
        if (typeof admission !== 'string') parked?.();
        const admitted = typeof admission === 'string' ? admission : await admission;
        if (admitted !== 'entered') return skip(admitted);
        this.active.add(active);
        try {
            if (this.#refuses(active.run)) return skip('stopping');
            const refusal = active.isClaimed ? undefined : await this.#claim(active);
            if (refusal) return skip(refusal);
            decided?.();
            await this.#runner.execute(active);
            await this.parts.engine.finished(active.run);
            this.parts.emit({ type: 'run-ended', run: active.run });
        } finally {
            this.active.delete(active);
            this.lanes.leave(active);
            for (const listener of this.#endListeners) listener();
        }
    }

    // A manual run goes on when the bot stops.
    #claim(active: ActiveRun): Promise<SkipReason | undefined> {
        const closing = active.run.manual ? NEVER : this.#closing.signal;
        return claimRun(active, this.parts.engine, this.parts.clock, closing);
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
        this.settlements.clear();
        this.#closing = new AbortController();
    }

    async #occurrence(occurrence: Occurrence, batch: Batch, turn: Turn): Promise<void> {
        if (batch.manual) return this.#runAll(occurrence, { batch, turn });
        const settlement = this.settlements.begin(occurrence.schedule, occurrence.slots.at(-1) ?? 0);
        await this.#runAll(occurrence, { batch, turn, settlement });
        settlement.complete();
    }

    async #runAll(occurrence: Occurrence, { batch, turn, settlement }: Surroundings): Promise<void> {
        const { plan, schedule, slots, catchesUp = false } = occurrence;
        const runFor = (tenant: TenantId | undefined, scheduledAt: number) =>
            createRun({
                job: plan.name,
                file: plan.file,
                args: schedule.args,
                tenant,
                schedule: schedule.text,
                scheduledAt,
                manual: batch.manual,
            });
        const skipAll = (reason: SkipReason) => {
            for (const slot of slots) this.#skip(batch.add(runFor(undefined, slot)), reason);
        };

        if (!isForEnvironment(plan, this.parts.environment)) return skipAll('environment');
        if (!batch.manual && this.parts.engine.isPaused(plan.name)) return skipAll('paused');
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

        const sequence = { catchesUp };
        for (const slot of slots) {
            for (const tenant of tenants) {
                const run = runFor(tenant, slot);
                if (!batch.isFirst(run)) continue;
                batch.add(run);
                const decided = settlement?.expect();
                if (this.#refuses(run)) this.#skip(run, 'stopping');
                else await turn.hold(this.#begin(this.activate(run, plan, sequence), batch, decided));
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
    #begin(active: ActiveRun, batch: Batch, decided?: () => void): Promise<void> {
        return new Promise((resolve) => {
            const steps = { parked: resolve, ...(decided && { decided }) };
            batch.performances.push(this.perform(active, steps).then(resolve));
        });
    }

    #refuses(run: Run): boolean {
        return this.#closing.signal.aborted && !run.manual;
    }

    #skip(run: Run, reason: SkipReason): void {
        run.outcome = 'skipped';
        run.reason = reason;
        this.parts.engine.skipped(run);
        this.parts.emit({ type: 'run-ended', run });
    }

    #failBeforeStart(run: Run, cause: unknown): void {
        const error = toError(cause);
        run.outcome = 'failed';
        run.error = new Error(`its tenants could not be listed: ${error.message}`, { cause: error });
        run.startedAt = run.endedAt = this.parts.clock.now();
        if (!run.manual) void this.parts.engine.finished(run);
        this.parts.emit({ type: 'run-ended', run });
    }
}

function isForEnvironment({ settings: { environments } }: JobPlan, environment: string): boolean {
    return environments === undefined || environments.includes(environment);
}
