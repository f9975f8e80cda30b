import { overdueAfter } from '../config/config.js';
import type { DueSchedule, WaitingSlots } from '../runs/engine.js';
import { pauseOf } from '../runs/pause.js';
import { createRun, type Run } from '../runs/run.js';
import { decideSlots, isMissed, LATE_SECONDS } from '../schedule/missed.js';
import type { Schedule } from '../schedule/schedule.js';
import { readError } from '../text/errors.js';
import type { Catalog } from './catalog.js';
import type { Runtime } from './runtime.js';

/** A step back of the clock by more than this many seconds is believed. */
const BELIEVED_STEP_BACK = 3600;

/** A schedule that may have slots which are not recorded yet. */
interface Pending {
    readonly schedule: Schedule;
    /** The only such slot; undefined: that is not known. */
    readonly slot?: number | undefined;
}

/** When the pending schedules are decided on. */
interface Moment {
    readonly now: number;
    /** The last second in which any process worked. */
    readonly workedUntil: number;
    /** After a gap: what has waited since before it, and is decided anew. */
    readonly waiting: WaitingSlots | undefined;
}

/**
 * Wakes at each whole second, never before it, and enqueues what has come due, and what earlier seconds could not enqueue.
 * `missed` decides what becomes of a schedule's slots, from the second up to which it is handled until now.
 */
export class Scheduler {
    /** Up to which second each schedule is handled, as far as this process knows. */
    readonly #handled = new Map<string, number>();
    #pending = new Map<string, Pending>();
    #enqueuedUntil = Number.NEGATIVE_INFINITY;
    #enqueuing: Promise<void> | undefined;
    readonly catalog: Catalog;
    /** The last second for which the scheduler has woken. */
    reached: number;
    #isBehind = false;
    #cancel = () => {};
    readonly #tellFailure = (cause: unknown) =>
        this.runtime.emit({ type: 'engine-failed', error: readError(cause) });

    /** @param reached the last second that an earlier scheduler reached, if any */
    constructor(
        private readonly runtime: Runtime,
        reached = Number.NEGATIVE_INFINITY,
    ) {
        // A bot that starts on the very boundary of a second still takes that second.
        this.reached = Math.max(reached, Math.ceil(runtime.clock.now() / 1000) - 1);
        this.catalog = runtime.renewCatalog(this.reached);
    }

    /** Whether nothing is being enqueued. */
    get isIdle(): boolean {
        return this.#enqueuing === undefined;
    }

    /** Enqueues what came due since any process last worked. */
    async begin(): Promise<void> {
        const { engine, emit } = this.runtime;
        const now = this.reached;
        const last = await engine.lastEnqueued();
        if (last && !last.byOthers && last.second - now > BELIEVED_STEP_BACK) {
            emit({ type: 'clock-set-back', from: last.second, to: now, adopted: true });
            await engine.rewind(now);
        }
        this.recover();
        await this.#enqueue(now);
    }

    /** Wakes at each second from now on. */
    start(): void {
        const { clock } = this.runtime;
        const now = clock.now();
        const second = Math.floor(now / 1000);
        // First the timer: whatever becomes of this second, the next one comes.
        const isExpected = (this.catalog.timetable.next ?? Infinity) <= second + 1;
        const delay = (second + 1) * 1000 - now;
        const look = () => this.start();
        this.#cancel = isExpected ? clock.punctuallyAfter(delay, look) : clock.after(delay, look);
        this.#look(second);
    }

    stop(): void {
        this.#cancel();
    }

    /** The store is back, or was replaced by another: every schedule is decided on. */
    recover(): void {
        this.#handled.clear();
        for (const schedule of this.catalog.timetable.schedules) this.#pend(schedule);
    }

    #look(second: number): void {
        const last = this.reached;
        if (second < last) this.#setBack(last, second);
        if (second <= last) return;
        this.reached = second;
        this.#isBehind = false;
        if (second === last + 1) return void this.#tick(second);
        // Seconds were left out: the process was blocked or asleep, or the clock was set.
        this.runtime.emit({ type: 'clock-gap', after: last, now: second });
        const { timetable } = this.catalog;
        for (const schedule of timetable.passed(second)) this.#pend(schedule);
        timetable.seek(second);
        void this.#enqueue(second);
    }

    #tick(second: number): void {
        for (const schedule of this.catalog.timetable.due(second)) this.#pend(schedule, second);
        const isQuiet =
            this.#pending.size === 0 && this.isIdle && second - this.#enqueuedUntil <= LATE_SECONDS;
        if (!isQuiet) return void this.#enqueue(second);
        this.#enqueuedUntil = second;
        void this.runtime.engine.enqueue([], second).catch(this.#tellFailure);
    }

    // After a small step back, wait until the old time is reached again; a large one is taken to be right.
    #setBack(from: number, to: number): void {
        const { engine, emit } = this.runtime;
        const adopted = from - to > BELIEVED_STEP_BACK;
        if (adopted || !this.#isBehind) emit({ type: 'clock-set-back', from, to, adopted });
        this.#isBehind = !adopted;
        if (!adopted) return;
        const before = to - 1;
        this.reached = to;
        this.catalog.timetable.seek(before);
        this.#enqueuedUntil = before;
        this.#pending.clear();
        this.#handled.clear();
        void engine
            .rewind(before)
            .then(() => this.#tick(to))
            .catch(this.#tellFailure);
    }

    #pend(schedule: Schedule, slot?: number): void {
        this.#pending.set(schedule.key, this.#pending.has(schedule.key) ? { schedule } : { schedule, slot });
    }

    // While the store is locked or away nothing is decided; that is made up for as soon as it is back.
    #enqueue(now: number): Promise<void> {
        this.#enqueuing ??= this.#enqueuePending(now)
            .catch(this.#tellFailure)
            .finally(() => {
                this.#enqueuing = undefined;
            });
        return this.#enqueuing;
    }

    async #enqueuePending(now: number): Promise<void> {
        const moment = await this.#momentOf(now);
        if (!moment) return;
        // A gap is ended for every schedule, also one without a slot in it.
        if (moment.waiting) for (const schedule of this.catalog.timetable.schedules) this.#pend(schedule);
        const pending = this.#pending;
        this.#pending = new Map();
        let isRecorded = false;
        try {
            isRecorded = await this.#record([...pending.values()], moment);
        } finally {
            // Also after an error: otherwise its slots would have neither a run nor a reason.
            if (isRecorded) this.#enqueuedUntil = now;
            else for (const { schedule } of pending.values()) this.#pend(schedule);
        }
    }

    async #momentOf(now: number): Promise<Moment | undefined> {
        const { engine } = this.runtime;
        if (now - this.#enqueuedUntil <= LATE_SECONDS) return { now, workedUntil: now, waiting: undefined };
        const last = await engine.lastEnqueued();
        if (!last) return undefined;
        const isGap = now - last.second > LATE_SECONDS;
        return { now, workedUntil: last.second, waiting: isGap ? await engine.waiting() : undefined };
    }

    /** Records what is pending; resolves with whether all of it is recorded. */
    async #record(pending: readonly Pending[], moment: Moment): Promise<boolean> {
        const { engine, emit } = this.runtime;
        const { now } = moment;
        const unknown = pending.filter(({ schedule }) => !this.#handled.has(schedule.key));
        if (unknown.length > 0) {
            // A schedule that is new, and due now, has missed nothing.
            const unseen = unknown.some(({ slot }) => slot === undefined) ? now : now - 1;
            const schedules = unknown.map(({ schedule }) => schedule);
            const found = await engine.handledUntil(schedules, unseen);
            if (!found) return false;
            for (const [key, second] of found) this.#handled.set(key, second);
        }
        const isNew = new Set(unknown);
        const due = pending.flatMap((one, position) =>
            this.#decide(isNew.has(one) ? { schedule: one.schedule } : one, position, moment),
        );
        const moved = await engine.enqueue(due, now);
        if (!moved) return false;
        for (const { schedule, until, skipped } of due) {
            const { key, job } = schedule;
            this.#handled.set(key, moved.get(key) ?? until);
            if (moved.has(key)) continue;
            for (const slots of skipped) emit({ type: 'slots-unrun', job, ...slots });
        }
        const recorded = due.filter(({ schedule: { key } }) => !moved.has(key));
        await this.#tellOverdue(recorded, now);
        // Another process was first; what it has not enqueued yet is decided from there.
        const left = due.filter(({ schedule: { key } }) => (moved.get(key) ?? now) < now);
        return left.length === 0 || this.#record(left, moment);
    }

    /** Reports each job's oldest slot that is overdue. Only the process that has recorded it does so. */
    async #tellOverdue(due: readonly DueSchedule[], now: number): Promise<void> {
        const { engine, emit, config } = this.runtime;
        const limit = overdueAfter(config.health) / 1000;
        const oldest = new Map<string, Run>();
        for (const { schedule, plan, run, skipped, leftOut } of due) {
            const { name: job, file } = plan;
            const scheduledAt = Math.min(run[0] ?? now, ...skipped.map(({ first }) => first));
            if (leftOut || now - scheduledAt <= limit || !this.runtime.alertsOf(job).overdue) continue;
            if (scheduledAt >= (oldest.get(job)?.scheduledAt ?? Infinity)) continue;
            const { text, args } = schedule;
            oldest.set(job, createRun({ job, file, schedule: text, args, scheduledAt }));
        }
        if (oldest.size === 0) return;
        const pauses = await engine.pauses();
        for (const [job, run] of oldest) {
            const { scheduledAt = now } = run;
            if (pauseOf(pauses, job, scheduledAt * 1000)) continue;
            emit({ type: 'slot-overdue', run, by: (now - scheduledAt) * 1000 });
        }
    }

    #decide({ schedule, slot }: Pending, position: number, moment: Moment): DueSchedule[] {
        const { now, workedUntil, waiting } = moment;
        const plan = this.catalog.plan(schedule.job);
        if (!plan) return [];
        const from = this.#handled.get(schedule.key) ?? now;
        const { environments, missed, missedWithin } = plan.settings;
        const earlier = waiting?.of(schedule) ?? [];
        const rules = { missed, missedWithin: missedWithin / 1000, earlier, workedUntil };
        const isOnTime = slot === now && from < slot;
        const { run, unrun: skipped } = isOnTime
            ? { run: [slot], unrun: [] }
            : decideSlots(schedule, { after: Math.min(from, now), now }, rules);
        if (run.length === 0 && skipped.length === 0) return [];
        const isElsewhere = environments?.includes(this.runtime.environment) === false;
        return [
            {
                schedule,
                plan,
                position,
                from,
                until: Math.max(from, now),
                run,
                leftOut: isElsewhere ? 'environment' : undefined,
                catchesUp: !isOnTime && (run.length > 1 || run.some((one) => isMissed(one, now))),
                skipped,
                decidesAnew: waiting !== undefined,
            },
        ];
    }
}
