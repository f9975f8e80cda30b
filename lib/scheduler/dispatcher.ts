import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { ActiveRun } from '../runs/active_run.js';
import type { Engine, RunQueue } from '../runs/engine.js';
import { messageOf, readError } from '../runs/errors.js';
import type { Emit, SkipReason } from '../runs/events.js';
import { createRun, type Run, type TenantId } from '../runs/run.js';
import type { RunsInFlight } from '../runs/runs_in_flight.js';
import { type Tenancy, tenancyOf } from '../runs/tenants.js';
import type { Schedule } from '../schedule/schedule.js';
import type { Clock } from '../time/clock.js';
import { Batch } from './batch.js';
import { CatchUpOrder, type PlaceInOrder } from './catch_up_order.js';
import { type Settlement, Settlements } from './settlements.js';
import { type Turn, takeTurns } from './turns.js';

/** How many runs go into the queue at once. */
const CHUNK = 200;

/** How long a catch-up that has begun may keep newer slots of its job out of the queue, in milliseconds. */
const CATCH_UP_PATIENCE = 30_000;

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
    readonly inFlight: RunsInFlight;
    readonly clock: Clock;
    readonly engine: Engine;
    readonly emit: Emit;
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
}

/** How runs are made and given their turns. */
export interface DispatchRules {
    /** Whether somebody asked for them: manual runs claim no slot. */
    readonly manual: boolean;
    readonly config: Config;
    /** Once aborted, it aborts the runs that go on, and those to come are skipped. */
    readonly interrupt?: AbortSignal | undefined;
    /** What is waited for before runs go into a queue, because older ones may be found; undefined: nothing. */
    readonly finding?: () => Promise<unknown> | undefined;
}

/** Where a schedule's runs are made. */
interface Surroundings {
    readonly batch: Batch;
    readonly turn: Turn;
    /** Waited for before they go into a queue; undefined: they may. */
    readonly olderOnes: () => Promise<unknown> | undefined;
    readonly settlement?: Settlement;
}

/** Makes runs of what is due - one for each tenant -, and gives them their turns. */
export class Dispatcher {
    readonly settlements: Settlements;
    readonly #catchUps = new CatchUpOrder();
    #listings = 0;
    #batches = 0;

    constructor(private readonly parts: DispatcherParts) {
        this.settlements = new Settlements((schedule, until) => parts.engine.settle(schedule, until));
    }

    /** Whether all that was dispatched has come to its end. */
    get isIdle(): boolean {
        return this.#batches === 0 && this.parts.inFlight.all.size === 0;
    }

    /** How many runs are being executed, and jobs whose tenants are being listed; waiting runs do not count. */
    get busy(): number {
        return this.#listings + this.parts.inFlight.executing;
    }

    /**
     * Runs what is due in one second, in the order given.
     *
     * @param occurrences what is due
     * @param rules how
     * @returns a promise of its runs, when all have ended; it never rejects
     */
    async dispatch(
        occurrences: readonly Occurrence[],
        { manual, config, interrupt, finding }: DispatchRules,
    ): Promise<Run[]> {
        const batch = new Batch(manual, interrupt);
        this.#batches += 1;
        const items = occurrences.map((occurrence) => {
            const { name } = occurrence.plan;
            if (!occurrence.catchesUp || !this.parts.engine.queue) {
                const olderOnes = () => finding?.() ?? this.#catchUps.pending(name);
                return (turn: Turn) => this.#occurrence(occurrence, { batch, turn, olderOnes });
            }
            const place = this.#catchUps.begin(name);
            return (turn: Turn) => this.#inOrder(place, occurrence, { batch, turn });
        });
        await takeTurns(items, {
            concurrency: config.concurrency,
            length: config.turn,
            clock: this.parts.clock,
            hurry: interrupt ?? this.parts.inFlight.closing(manual),
        });
        await Promise.all(batch.performances);
        this.#batches -= 1;
        return batch.runs;
    }

    async #inOrder(
        { older, end }: PlaceInOrder,
        occurrence: Occurrence,
        rest: Pick<Surroundings, 'batch' | 'turn'>,
    ): Promise<void> {
        let cancel = () => {};
        let wait: Promise<void> | undefined = older.then(() => {
            wait = undefined;
            // Tenants whose listing hangs must not stop the job for ever.
            cancel = this.parts.clock.after(CATCH_UP_PATIENCE, end);
        });
        await this.#occurrence(occurrence, { ...rest, olderOnes: () => wait });
        end();
        await older;
        cancel();
    }

    async #occurrence(occurrence: Occurrence, surroundings: Surroundings): Promise<void> {
        if (surroundings.batch.manual) return this.#runAll(occurrence, surroundings);
        const settlement = this.settlements.begin(occurrence.schedule, occurrence.slots.at(-1) ?? 0);
        await this.#runAll(occurrence, { ...surroundings, settlement });
        settlement.complete();
    }

    async #runAll(occurrence: Occurrence, surroundings: Surroundings): Promise<void> {
        const { batch, turn, olderOnes, settlement } = surroundings;
        const { plan, schedule, slots, catchesUp = false } = occurrence;
        const { inFlight } = this.parts;
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
            for (const slot of slots) inFlight.skip(batch.add(runFor(undefined, slot)), reason);
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

        const runs = function* () {
            for (const slot of slots) {
                for (const tenant of tenants) {
                    const run = runFor(tenant, slot);
                    if (batch.isFirst(run)) yield run;
                }
            }
        };
        const { queue } = this.parts.engine;
        if (queue && settlement) {
            const decided = settlement.expect();
            for (let wait = olderOnes(); wait; wait = olderOnes()) await turn.need(wait);
            // Meanwhile it was found to be owed, with what is older than it.
            if (!settlement.isCurrent()) return;
            if (await turn.need(this.#enqueue(queue, runs(), catchesUp))) decided();
            return;
        }
        const sequence = { catchesUp, interrupt: batch.interrupt };
        for (const run of runs()) {
            batch.add(run);
            const decided = settlement?.expect();
            if (inFlight.closing(run.manual).aborted) inFlight.skip(run, 'stopping');
            else await turn.hold(this.#begin(inFlight.activate(run, plan, sequence), batch, decided));
        }
    }

    // In chunks: many slots of many tenants at once would keep this process and the queue's server from all else.
    async #enqueue(queue: RunQueue, runs: Iterable<Run>, catchesUp: boolean): Promise<boolean> {
        const { inFlight } = this.parts;
        let chunk: Run[] = [];
        for (const run of runs) {
            if (chunk.length === CHUNK) {
                if (inFlight.closing(false).aborted || !(await queue.add(chunk, { catchesUp }))) return false;
                chunk = [];
                await nextTurn();
            }
            chunk.push(run);
        }
        return !inFlight.closing(false).aborted && queue.add(chunk, { catchesUp });
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
            batch.performances.push(this.parts.inFlight.perform(active, steps).then(resolve));
        });
    }

    #failBeforeStart(run: Run, cause: unknown): void {
        const message = `its tenants could not be listed: ${messageOf(cause)}`;
        run.outcome = 'failed';
        run.error = readError(new Error(message, { cause }));
        run.startedAt = run.endedAt = this.parts.clock.now();
        if (!run.manual) void this.parts.engine.finished(run);
        this.parts.emit({ type: 'run-ended', run });
    }
}

function isForEnvironment({ settings: { environments } }: JobPlan, environment: string): boolean {
    return environments === undefined || environments.includes(environment);
}
