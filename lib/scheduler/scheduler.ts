import type { DueSchedule, Engine, WaitingSlots } from '../runs/engine.js';
import type { Emit } from '../runs/events.js';
import { decideSlots, type Gap, isMissed, LATE_SECONDS } from '../schedule/missed.js';
import type { Schedule } from '../schedule/schedule.js';
import type { Catalog } from './catalog.js';
import { type ClockStep, isSetBack, type TickListener } from './ticker.js';

/** What the scheduler works with. */
export interface SchedulerParts {
    /** The jobs, with what was registered since the last second. */
    readonly catalog: () => Catalog;
    readonly engine: Engine;
    readonly emit: Emit;
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
}

/** A schedule that has slots which are not recorded yet. */
interface Pending {
    readonly schedule: Schedule;
    /** The only one, in unix seconds; undefined: there may be several, or none. */
    readonly slot?: number | undefined;
}

/** When the pending schedules are decided on. */
interface Moment {
    /** Unix second. */
    readonly now: number;
    /** The last second in which any process worked. */
    readonly workedUntil: number;
    /** After a gap: what waits since before it, to be decided anew. */
    readonly waiting: WaitingSlots | undefined;
}

/**
 * Enqueues what has come due: at each second, with whatever an earlier one could not. It is always the same question - what
 * becomes of the slots from where a schedule is handled up to now -, and `missed` answers it.
 */
export class Scheduler implements TickListener {
    /** Up to which second each schedule is handled, as far as this process knows. */
    readonly #handled = new Map<string, number>();
    #pending = new Map<string, Pending>();
    #enqueuedUntil = Number.NEGATIVE_INFINITY;
    #enqueuing: Promise<void> | undefined;

    constructor(private readonly parts: SchedulerParts) {}

    /**
     * Begins: what came due since any bot worked last is decided now.
     *
     * @param now unix second
     */
    async begin(now: number): Promise<void> {
        const { engine, emit } = this.parts;
        const last = await engine.lastEnqueued();
        if (last && !last.byOthers && isSetBack(last.second, now)) {
            emit({ type: 'clock-set-back', from: last.second, to: now, adopted: true });
            await engine.rewind(now);
        }
        this.recover();
        await this.#enqueue(now);
    }

    expects(second: number): boolean {
        return (this.parts.catalog().next ?? Infinity) <= second;
    }

    tick(second: number): void {
        for (const schedule of this.parts.catalog().due(second)) this.#pend(schedule, second);
        const isQuiet =
            this.#pending.size === 0 && this.isIdle && second - this.#enqueuedUntil <= LATE_SECONDS;
        if (!isQuiet) return void this.#enqueue(second);
        this.#enqueuedUntil = second;
        void this.parts.engine.enqueue([], second);
    }

    /** Whether nothing is being enqueued at this moment. */
    get isIdle(): boolean {
        return this.#enqueuing === undefined;
    }

    gap(gap: Gap): void {
        this.parts.emit({ type: 'clock-gap', ...gap });
        for (const schedule of this.parts.catalog().passGap(gap)) this.#pend(schedule);
        void this.#enqueue(gap.now);
    }

    setBack(step: ClockStep): void {
        const { catalog, engine, emit } = this.parts;
        emit({ type: 'clock-set-back', ...step });
        if (!step.adopted) return;
        const before = step.to - 1;
        catalog().seek(before);
        this.#enqueuedUntil = before;
        this.#pending.clear();
        this.#handled.clear();
        void engine.rewind(before).then(() => this.tick(step.to));
    }

    /** The store is back, or another has taken its place: every schedule is looked at. */
    recover(): void {
        this.#handled.clear();
        for (const schedule of this.parts.catalog().schedules) this.#pend(schedule);
    }

    #pend(schedule: Schedule, slot?: number): void {
        this.#pending.set(schedule.key, this.#pending.has(schedule.key) ? { schedule } : { schedule, slot });
    }

    // While the store is locked or away nothing is decided; the second after that makes up for it.
    #enqueue(now: number): Promise<void> {
        this.#enqueuing ??= this.#enqueuePending(now)
            .catch((error) => this.parts.emit({ type: 'engine-failed', error }))
            .finally(() => {
                this.#enqueuing = undefined;
            });
        return this.#enqueuing;
    }

    async #enqueuePending(now: number): Promise<void> {
        const moment = await this.#momentOf(now);
        if (!moment) return;
        // A gap is ended for every schedule, also one without a slot in it.
        if (moment.waiting) for (const schedule of this.parts.catalog().schedules) this.#pend(schedule);
        const pending = this.#pending;
        this.#pending = new Map();
        if (await this.#record([...pending.values()], moment)) this.#enqueuedUntil = now;
        else for (const { schedule } of pending.values()) this.#pend(schedule);
    }

    async #momentOf(now: number): Promise<Moment | undefined> {
        const { engine } = this.parts;
        if (now - this.#enqueuedUntil <= LATE_SECONDS) return { now, workedUntil: now, waiting: undefined };
        const last = await engine.lastEnqueued();
        if (!last) return undefined;
        const isGap = now - last.second > LATE_SECONDS;
        return { now, workedUntil: last.second, waiting: isGap ? await engine.waiting() : undefined };
    }

    /** Records what is pending; answers whether all of it is. */
    async #record(pending: readonly Pending[], moment: Moment): Promise<boolean> {
        const { engine } = this.parts;
        const { now } = moment;
        const unknown = pending.filter(({ schedule }) => !this.#handled.has(schedule.key));
        if (unknown.length > 0) {
            // Seen for the first time because it is due, a schedule owes nothing before that.
            const unseen = unknown.some(({ slot }) => slot === undefined) ? now : now - 1;
            const found = await engine.handledUntil(
                unknown.map(({ schedule }) => schedule),
                unseen,
            );
            if (!found) return false;
            for (const [key, second] of found) this.#handled.set(key, second);
        }
        const isNew = new Set(unknown);
        const due = pending.flatMap((one, position) =>
            this.#decide(isNew.has(one) ? { schedule: one.schedule } : one, position, moment),
        );
        const moved = await engine.enqueue(due, now);
        if (!moved) return false;
        for (const one of due) {
            const { key } = one.schedule;
            this.#handled.set(key, moved.get(key) ?? one.until);
            if (!moved.has(key)) this.#tell(one);
        }
        // Another process was first; where it has not come as far, the rest is decided from there.
        const left = due.filter(({ schedule: { key } }) => (moved.get(key) ?? now) < now);
        return left.length === 0 || this.#record(left, moment);
    }

    #decide({ schedule, slot }: Pending, position: number, moment: Moment): DueSchedule[] {
        const { now, workedUntil, waiting } = moment;
        const plan = this.parts.catalog().plan(schedule.job);
        const from = this.#handled.get(schedule.key) ?? now;
        if (!plan) return [];
        const { environments, missed, missedWithin } = plan.settings;
        const earlier = waiting?.of(schedule) ?? [];
        const rules = { missed, missedWithin: missedWithin / 1000, earlier, workedUntil };
        const decision =
            slot !== undefined && slot === now && from < slot
                ? { run: [slot], unrun: [] }
                : decideSlots(schedule, { after: Math.min(from, now), now }, rules);
        const { run, unrun: skipped } = decision;
        if (run.length === 0 && skipped.length === 0) return [];
        const isElsewhere = environments !== undefined && !environments.includes(this.parts.environment);
        const catchesUp = run.some((one) => isMissed(one, now)) || run.length > 1;
        return [
            {
                schedule,
                plan,
                position,
                from,
                until: Math.max(from, now),
                run,
                leftOut: isElsewhere ? 'environment' : undefined,
                catchesUp,
                skipped,
                decidesAnew: waiting !== undefined,
            },
        ];
    }

    #tell({ schedule, skipped }: DueSchedule): void {
        for (const slots of skipped) this.parts.emit({ type: 'slots-unrun', job: schedule.job, ...slots });
    }
}
