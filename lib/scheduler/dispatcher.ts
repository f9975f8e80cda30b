import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BotConfig } from '../config/config.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { ActiveRun } from '../runs/active_run.js';
import type { Engine, RunQueue } from '../runs/engine.js';
import type { Emit, SkipReason } from '../runs/events.js';
import { createRun, isFirst, type Run, type TenantId } from '../runs/run.js';
import type { RunsInFlight } from '../runs/runs_in_flight.js';
import { toError } from '../runs/stray_errors.js';
import { type Tenancy, tenancyOf } from '../runs/tenants.js';
import type { Clock } from '../time/clock.js';
import type { Occurrence } from './catalog.js';
import { CatchUpOrder, type PlaceInOrder } from './catch_up_order.js';
import { type Decision, HandledSlots } from './handled_slots.js';
import { type Turn, takeTurns } from './turns.js';

/** How many runs go into the queue at once. */
const CHUNK = 200;

/** How long a catch-up that has begun may keep newer slots of its job out of the queue, in milliseconds. */
const LONGEST_CATCH_UP = 30_000;

/** What the dispatcher works with. */
export interface DispatcherHost {
    readonly inFlight: RunsInFlight;
    readonly clock: Clock;
    readonly engine: Engine;
    readonly emit: Emit;
    readonly config: BotConfig;
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
}

/** How runs are made and given their turns. */
export interface DispatchRules {
    /** Whether somebody asked for them: manual runs claim no slot. */
    readonly manual: boolean;
    /** Once aborted, it aborts the runs that go on, and those to come are skipped. */
    readonly interrupt?: AbortSignal | undefined;
    /** What is waited for before runs go into a queue, because older ones may be found; undefined: nothing. */
    readonly olderOnes?: () => Promise<unknown> | undefined;
}

/** The runs of one second. */
interface Batch extends DispatchRules {
    readonly runs: Run[];
    /** One promise for each run that was begun; it resolves when the run has ended. */
    readonly performances: Promise<void>[];
    readonly seen: Set<string>;
}

/** Where a schedule's runs are made. */
interface Surroundings {
    readonly batch: Batch;
    readonly turn: Turn;
    /** Waited for before they go into a queue; undefined: they may. */
    readonly olderOnes: () => Promise<unknown> | undefined;
    /** undefined: nobody has to know, because they are manual. */
    readonly decision?: Decision;
}

/** Makes runs of what is due - one for each tenant -, and gives them their turns. */
export class Dispatcher {
    readonly handled: HandledSlots;
    readonly #catchUps = new CatchUpOrder();
    #listings = 0;
    #batches = 0;

    constructor(private readonly host: DispatcherHost) {
        this.handled = new HandledSlots((schedule, until) => host.engine.handled(schedule, until));
    }

    /** Whether all that was dispatched has come to its end. */
    get isIdle(): boolean {
        return this.#batches === 0 && this.host.inFlight.all.size === 0;
    }

    /** How many runs are being executed, and jobs whose tenants are being listed; waiting runs do not count. */
    get busy(): number {
        return this.#listings + this.host.inFlight.executing;
    }

    /**
     * Runs what is due in one second, in the order given.
     *
     * @returns a promise of its runs, when all have ended; it never rejects
     */
    async dispatch(occurrences: readonly Occurrence[], rules: DispatchRules): Promise<Run[]> {
        const { config, clock, inFlight, engine } = this.host;
        const batch: Batch = { ...rules, runs: [], performances: [], seen: new Set() };
        this.#batches += 1;
        const items = occurrences.map((occurrence) => {
            const { name } = occurrence.plan;
            if (!occurrence.catchesUp || !engine.queue) {
                const olderOnes = () => rules.olderOnes?.() ?? this.#catchUps.pending(name);
                return (turn: Turn) => this.#occurrence(occurrence, { batch, turn, olderOnes });
            }
            const place = this.#catchUps.begin(name);
            return (turn: Turn) => this.#inOrder(place, occurrence, { batch, turn });
        });
        await takeTurns(items, {
            concurrency: config.concurrency,
            length: config.turn,
            clock,
            hurry: rules.interrupt ?? inFlight.closing(rules.manual),
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
            cancel = this.host.clock.after(LONGEST_CATCH_UP, end);
        });
        await this.#occurrence(occurrence, { ...rest, olderOnes: () => wait });
        end();
        await older;
        cancel();
    }

    async #occurrence(occurrence: Occurrence, surroundings: Surroundings): Promise<void> {
        if (surroundings.batch.manual) return this.#runAll(occurrence, surroundings);
        const decision = this.handled.begin(occurrence.schedule, occurrence.slots.at(-1) ?? 0);
        await this.#runAll(occurrence, { ...surroundings, decision });
        decision.complete();
    }

    async #runAll(occurrence: Occurrence, surroundings: Surroundings): Promise<void> {
        const { batch, turn, olderOnes, decision } = surroundings;
        const { plan, schedule, slots, catchesUp } = occurrence;
        const { inFlight, engine, environment } = this.host;
        const { name: job, file, settings } = plan;
        const { args, text } = schedule;
        const { manual, interrupt } = batch;
        const runFor = (tenant: TenantId | undefined, scheduledAt: number) =>
            createRun({ job, file, args, tenant, schedule: text, scheduledAt, manual });
        const withoutTenants = () => {
            const runs = slots.map((slot) => runFor(undefined, slot));
            batch.runs.push(...runs);
            return runs;
        };
        const skipAll = (reason: SkipReason) => {
            for (const run of withoutTenants()) inFlight.skip(run, reason);
        };

        if (settings.environments?.includes(environment) === false) return skipAll('environment');
        if (!manual && engine.isPaused(job)) return skipAll('paused');
        let tenancy: Tenancy;
        try {
            tenancy = await turn.need(this.#listTenants(plan));
        } catch (cause) {
            for (const run of withoutTenants()) this.#failBeforeStart(run, cause);
            return;
        }
        if (tenancy.kind === 'no tenants table') return skipAll('no tenants table');
        const tenants = tenancy.kind === 'tenants' ? tenancy.ids : [undefined];
        if (tenants.length === 0) return skipAll('no tenants');

        const runs = function* () {
            for (const slot of slots) {
                for (const tenant of tenants) {
                    const run = runFor(tenant, slot);
                    if (isFirst(run, batch.seen)) yield run;
                }
            }
        };
        if (engine.queue && decision) {
            const decided = decision.expect();
            for (let wait = olderOnes(); wait; wait = olderOnes()) await turn.need(wait);
            // Meanwhile it was found to have been missed, with what is older than it.
            if (!decision.isCurrent()) return;
            if (await turn.need(this.#enqueue(engine.queue, runs(), catchesUp))) decided();
            return;
        }
        const sequence = { catchesUp, interrupt };
        for (const run of runs()) {
            batch.runs.push(run);
            const decided = decision?.expect();
            if (inFlight.closing(manual).aborted) inFlight.skip(run, 'stopping');
            else await turn.hold(this.#begin(inFlight.activate(run, plan, sequence), batch, decided));
        }
    }

    // In chunks: many slots of many tenants at once would keep this process and the queue's server from all else.
    async #enqueue(queue: RunQueue, runs: Iterable<Run>, catchesUp: boolean): Promise<boolean> {
        const closing = this.host.inFlight.closing(false);
        let chunk: Run[] = [];
        for (const run of runs) {
            if (chunk.length === CHUNK) {
                if (closing.aborted || !(await queue.add(chunk, catchesUp))) return false;
                chunk = [];
                await nextTurn();
            }
            chunk.push(run);
        }
        return !closing.aborted && queue.add(chunk, catchesUp);
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
        return new Promise((parked) => {
            batch.performances.push(this.host.inFlight.perform(active, { parked, decided }).then(parked));
        });
    }

    #failBeforeStart(run: Run, cause: unknown): void {
        const error = toError(cause);
        run.outcome = 'failed';
        run.error = new Error(`its tenants could not be listed: ${error.message}`, { cause: error });
        run.startedAt = run.endedAt = this.host.clock.now();
        if (!run.manual) void this.host.engine.finished(run);
        this.host.emit({ type: 'run-ended', run });
    }
}
