import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { AbortRequest } from '../../runs/active_run.js';
import {
    type DueSchedule,
    type Engine,
    type EngineHost,
    type HistoryHost,
    JournalLockedError,
    type LastEnqueued,
    type LockTimeout,
    type Request,
    type Result,
    type WaitingSlots,
} from '../../runs/engine.js';
import type { GiveUpReason } from '../../runs/events.js';
import type { History } from '../../runs/history.js';
import { Output } from '../../runs/output.js';
import { type Pause, pauseOf } from '../../runs/pause.js';
import type { Run, TenantId } from '../../runs/run.js';
import type { Schedule } from '../../schedule/schedule.js';
import { type ErrorRecord, readError, traceOf } from '../../text/errors.js';
import { createOwner, readRelease } from '../owner.js';
import { laneKey } from '../row.js';
import { streakEvent } from '../streak.js';
import { Turns } from '../turns.js';
import type { Database } from './database.js';
import { endGap, enqueueSchedule, handledUntil, lastEnqueued, rewind, waitingSlots } from './enqueue.js';
import { endRow, enter, promote } from './lanes.js';
import { SqliteLookups } from './lookups.js';
import { pause, pausesIn, resume } from './pauses.js';
import { askedToEnd, beat, beats, forgetProcess, Leases } from './processes.js';
import * as queue from './queue.js';
import { forgetSome, keepOutput, limitOutputs } from './retention.js';
import { type Consequence, insertRow, type NewRow, NO_TURN, type Step, type StoredRow } from './rows.js';
import { placeOf, Store, UnavailableError } from './store.js';

/** As many runs are started in one step, so that no step blocks the event loop for long. */
const MOST_IN_STEP = 50;

/** As many schedules are enqueued in one step. */
const MOST_IN_ENQUEUE = 200;

/** How long a close waits for a store that is locked, in milliseconds. */
const LONGEST_CLOSE = 2_000;

/** How often a process shows that it is alive, and looks at the others, in milliseconds. */
const BEAT = 1_000;

/** How often what is too old is forgotten, in seconds. */
const FORGET_EVERY = 3_600;

/** A tick waits no longer than this for a lock: the next one makes up for it. */
const TICK_LOCK_TIMEOUT: LockTimeout = { milliseconds: 500 };

/** These skips behind one run are told with its age. */
const TOLD_SKIPS = [1, 10, 100];

type Work<T> = (step: Step) => T;

/** What is to be done in the next step. */
interface Op {
    readonly work: Work<unknown>;
    readonly resolve: (result: never) => void;
    readonly reject: (error: unknown) => void;
}

/** The engine in the server's own process, with its queue and its history in SQLite. */
export class EmbeddedEngine implements Engine {
    readonly #owner = createOwner();
    readonly #running = new Map<string, { row: StoredRow; signal: AbortRequest; output: Output }>();
    /** Runs that somebody here waits for, by their ids: he sees how they get on. */
    readonly #waiters = new Map<string, { readonly run: Run; resolve(run: Run): void }>();
    /** What runs that wait for their next attempt have failed with, by their ids. */
    readonly #failures = new Map<string, ErrorRecord>();
    readonly #skipsBehind = new Map<string, number>();
    #host: EngineHost | undefined;
    #store: Store | undefined;
    #opening: Promise<void> | undefined;
    #turns: Turns | undefined;
    readonly #leases = new Leases();
    #cancelBeat: (() => void) | undefined;
    #isWorking = false;
    #isClosing = false;
    #enqueuedUntil: number | undefined;
    /** The last second in which any process had enqueued, when this one looked. */
    #seenUntil = Number.NEGATIVE_INFINITY;
    readonly #ops: Op[] = [];
    #forgotAt = Number.NEGATIVE_INFINITY;
    #looksAtAll = false;
    #step: Promise<void> | undefined;
    #cancelDue: (() => void) | undefined;
    /** When what is delayed comes due next, in unix milliseconds. */
    #wakesAt: number | undefined;

    get description(): string {
        return this.#store?.description ?? 'embedded';
    }

    get isIdle(): boolean {
        return this.#running.size === 0 && this.#step === undefined;
    }

    open(host: EngineHost): Promise<void> {
        this.#isClosing = false;
        this.#opening ??= this.#open(host).catch((error) => {
            this.#opening = undefined;
            throw error;
        });
        return this.#opening;
    }

    work(): void {
        this.#isWorking = true;
        this.#startBeating();
        this.#lookAtAll();
        this.#wakeAtNext();
    }

    rest(): void {
        this.#isWorking = false;
    }

    async close(): Promise<void> {
        this.rest();
        this.#isClosing = true;
        // A run that has just ended is recorded first; one that goes on is not waited for.
        await nextTurn();
        await Promise.race([this.#step, delay(LONGEST_CLOSE, undefined, { ref: false })]);
        await this.#closeIfIdle();
    }

    history(host: HistoryHost): Promise<History> {
        return SqliteLookups.open(host, this.#store);
    }

    async handledUntil(schedules: readonly Schedule[], now: number) {
        return this.#tryNow(({ database }) => handledUntil(database, schedules, now));
    }

    async waiting(): Promise<WaitingSlots> {
        return this.#do(({ database }) => waitingSlots(database));
    }

    async lastEnqueued(): Promise<LastEnqueued | undefined> {
        const found = await this.#tryNow(lastEnqueued);
        if (!found) return undefined;
        this.#seenUntil = found.second;
        return { ...found, second: Math.max(found.second, this.#enqueuedUntil ?? Number.NEGATIVE_INFINITY) };
    }

    async enqueue(due: readonly DueSchedule[], second: number) {
        this.#store?.check();
        const conflicts = new Map<string, number>();
        // The first step is a short one, and its runs start before the next; but those that catch up go in the order of their slots.
        const catchesUp = due.some((one) => one.catchesUp || one.decidesAnew);
        const first = catchesUp ? MOST_IN_ENQUEUE : (this.#host?.config.concurrency ?? 1);
        for (let from = 0, to = Math.min(first, MOST_IN_ENQUEUE); from < due.length; ) {
            if (from > 0) await nextTurn();
            const part = due.slice(from, to);
            const isEnqueued = await this.#tryNow((step) => {
                // Whoever ends a gap does so for all; another process may have done it since this one looked.
                const endsGap = from === 0 && part.some(({ decidesAnew }) => decidesAnew);
                if (endsGap && !endGap(step, this.#seenUntil, second)) return false;
                const pauses = pausesIn(step.database);
                for (const one of part) {
                    const known = enqueueSchedule(step, one, pauses);
                    if (known !== undefined) conflicts.set(one.schedule.key, known);
                }
                return true;
            });
            if (!isEnqueued) return undefined;
            [from, to] = [to, to + MOST_IN_ENQUEUE];
        }
        this.#enqueuedUntil = second;
        if (second - this.#forgotAt >= FORGET_EVERY) {
            this.#forgotAt = second;
            void this.#forget();
        }
        return conflicts;
    }

    async request(request: Request): Promise<Run> {
        const { kind = 'run', run, plan, isAwaited, runAt, batch, heedsPauses, key } = request;
        const { overlap, missed } = plan.settings;
        const now = this.#now();
        const row: NewRow = {
            kind,
            run,
            lane: laneKey(kind, run),
            origin: isAwaited ? 'waiter' : 'later',
            overlap,
            missed,
            catchesUp: false,
            batch: isAwaited ? (batch ?? NO_TURN) : Math.floor((runAt ?? now) / 1000) * 2,
            position: 0,
            runAt: runAt ?? now,
            key: key?.name,
        };
        const over = isAwaited && new Promise<Run>((resolve) => this.#waiters.set(run.id, { run, resolve }));
        const id = await this.#do((step) => {
            if (isAwaited) queue.giveUpGone(step, run.job, row.lane);
            const queued = key && queue.findKeyed(step, run.job, key.name);
            if (queued && key.whenQueued === 'keep') return queued.run.id;
            if (queued) endRow(step, queued, 'replaced');
            const isPaused = heedsPauses && pauseOf(pausesIn(step.database), run.job, step.now) !== undefined;
            if (isPaused) insertRow(step, row, 'delayed');
            else enter(step, row);
            return run.id;
        });
        return over || { ...run, id };
    }

    async abort(id: string, reason: string): Promise<boolean> {
        return this.#do((step) => queue.abort(step, id, reason));
    }

    abandon(reason: GiveUpReason): void {
        for (const { row } of this.#running.values()) {
            const { run } = row;
            if (run.outcome !== undefined) continue;
            Object.assign(run, { outcome: 'aborted', reason, endedAt: this.#now() });
            this.#store?.tryWriteNow((database) =>
                queue.finish(this.#stepOf(database), row, { outcome: 'aborted', reason }),
            );
            this.#host?.emit({ type: 'run-ended', run });
        }
        this.#running.clear();
    }

    async rewind(second: number): Promise<void> {
        await this.#do(({ database }) => rewind(database, second));
    }

    async pauses(): Promise<readonly Pause[]> {
        return this.#do(({ database }) => pausesIn(database));
    }

    async pause(one: Pause): Promise<void> {
        await this.#do((step) => pause(step, one));
        if (this.#isWorking && one.until !== undefined) this.#wakeAt(one.until);
    }

    async resume(job: string): Promise<void> {
        this.#looksAtAll = true;
        await this.#do((step) => resume(step, job));
    }

    async #open(host: EngineHost): Promise<void> {
        this.#host = host;
        this.#turns = new Turns(host.clock, host.config.concurrency, host.config.turn, () =>
            this.#lookAtAll(),
        );
        const place = await placeOf(host);
        const shown = place?.shown ?? '';
        this.#store = await Store.open({
            owner: this.#owner.id,
            path: place?.path,
            shown,
            required: host.journal.required,
            lockTimeout: host.lockTimeout,
            tell: (trouble, detail) => host.emit({ type: 'journal-trouble', trouble, detail, path: shown }),
            moved: (seqs) => {
                for (const { row } of this.#running.values()) row.seq = seqs.get(row.run.id) ?? -1;
                host.recovered();
            },
        });
        if (!this.#store.isShared) return;
        await readRelease(this.#owner);
        await this.#beat();
    }

    /** Shows each second that this process is alive, for as long as others may look at it, or it at them. */
    #startBeating(): void {
        if (!this.#store?.isShared || !(this.#isWorking || this.#running.size > 0)) return;
        // In the middle of a second, where it keeps no slot waiting.
        const delay = BEAT - ((this.#now() + BEAT / 2) % BEAT);
        this.#cancelBeat ??= this.#host?.clock.after(delay, () => {
            this.#cancelBeat = undefined;
            this.#startBeating();
            this.#beat().catch((error) =>
                this.#host?.emit({ type: 'engine-failed', error: readError(error) }),
            );
        });
    }

    /** Shows life, finds out which processes have none, and sees to what they have left. */
    async #beat(): Promise<void> {
        const host = this.#host as EngineHost;
        this.#store?.check();
        this.#store?.shorten();
        this.#looksAtAll = true;
        const now = this.#now();
        const found = await this.#do((step) => {
            queue.giveUpUnknown(step, (job) => host.planOf(job) !== undefined);
            beat(step, this.#enqueuedUntil);
            for (const { row, output } of this.#running.values()) keepOutput(step, row, output);
            return { others: beats(step), asked: askedToEnd(step) };
        });
        for (const { id, reason } of found.asked) this.#running.get(id)?.signal.abort(reason);
        for (const dead of this.#leases.look(found.others, now))
            await this.#do((step) => {
                // It may have come to life again since.
                if (beats(step).get(dead) !== found.others.get(dead)) return;
                this.#looksAtAll = true;
                queue.adopt(step, dead, (job) => host.planOf(job)?.settings.retries ?? 0);
                forgetProcess(step, dead);
            });
    }

    async #forget(): Promise<void> {
        const { journal, emit } = this.#host as EngineHost;
        try {
            while (await this.#do((step) => forgetSome(step, journal)));
        } catch (error) {
            emit({ type: 'engine-failed', error: readError(error) });
        }
    }

    /** Does something in the next step, together with whatever else comes meanwhile. */
    #do<T>(work: Work<T>): Promise<T> {
        return new Promise<T>((resolve, reject) => {
            this.#ops.push({ work, resolve, reject });
            this.#step ??= this.#takeSteps();
        });
    }

    async #takeSteps(): Promise<void> {
        await null;
        while (this.#ops.length > 0) await this.#takeStep(this.#ops.splice(0));
        this.#step = undefined;
    }

    async #takeStep(ops: readonly Op[]): Promise<void> {
        try {
            const results = await this.#transact(
                (step) => ops.map(({ work }) => work(step)),
                this.#host?.lockTimeout,
            );
            for (const [index, { resolve }] of ops.entries()) resolve(results?.[index] as never);
        } catch (error) {
            for (const { reject } of ops) reject(error);
        }
    }

    /** One transaction: some work, what has come due meanwhile, and the runs that may start after it. */
    async #transact<T>(work: Work<T>, lockTimeout?: LockTimeout): Promise<T | undefined> {
        const write = (database: Database) => {
            const step = this.#stepOf(database);
            const result = work(step);
            const isDue = this.#looksAtAll || (this.#wakesAt ?? Infinity) <= step.now;
            const isMore = isDue && promote(step, MOST_IN_STEP);
            const batches = this.#looksAtAll ? queue.waitingBatches(step) : batchesOf(step.consequences);
            return { result, consequences: step.consequences, isMore, taken: this.#take(step, batches) };
        };
        // They begin their turns before another transaction could take more than there is room for.
        const done = await this.#store?.write(write, lockTimeout, ({ consequences, isMore, taken }) => {
            this.#looksAtAll = isMore || taken.length === MOST_IN_STEP;
            for (const consequence of consequences) this.#heed(consequence);
            for (const row of taken) void this.#execute(row);
            if (this.#looksAtAll) this.#lookAtAll();
        });
        return done?.result;
    }

    #stepOf(database: Database): Step {
        return {
            ...{ database, by: this.#owner, now: this.#now(), consequences: [] },
            failingAfter: (job) => this.#host?.failingAfter(job) ?? Infinity,
        };
    }

    /** In the next step whatever waits is looked at: others may have left something, or a turn was lost. */
    #lookAtAll(): void {
        this.#looksAtAll = true;
        void this.#do(() => {});
    }

    /** The same at once; undefined: the store cannot be reached. */
    async #tryNow<T>(work: Work<T>): Promise<T | undefined> {
        try {
            return await this.#transact(work, TICK_LOCK_TIMEOUT);
        } catch (error) {
            if (error instanceof JournalLockedError || error instanceof UnavailableError) return undefined;
            throw error;
        }
    }

    #take(step: Step, batches: readonly number[]): StoredRow[] {
        const host = this.#host as EngineHost;
        let left = MOST_IN_STEP;
        return batches.flatMap((batch) => {
            const turns = batch === NO_TURN ? Infinity : (this.#turns?.room(batch) ?? 0);
            const taken = queue.take(step, batch, {
                most: Math.min(left, turns),
                anything: this.#isWorking,
                knows: (job) => host.planOf(job) !== undefined,
            });
            left -= taken.length;
            return taken.map((row) => {
                const { id, job, attempt, startedAt } = row.run;
                const awaited = this.#waiters.get(id)?.run;
                if (awaited) return { ...row, run: Object.assign(awaited, { attempt, startedAt }) };
                Object.assign(row.run, { file: host.planOf(job)?.file });
                return row;
            });
        });
    }

    async #execute(row: StoredRow): Promise<void> {
        const host = this.#host as EngineHost;
        const { kind, run, batch, runAt: dueAt } = row;
        const signal = new AbortRequest();
        const output = new Output();
        this.#running.set(run.id, { row, signal, output });
        const endTurn = batch === NO_TURN ? undefined : this.#turns?.begin(batch);
        this.#startBeating();
        try {
            const result = await host.perform({ kind, run, signal, dueAt, output });
            endTurn?.();
            await this.#conclude(row, result, output);
        } catch (error) {
            host.emit({ type: 'engine-failed', error: readError(error) });
        } finally {
            this.#running.delete(run.id);
            if (this.#isClosing) void this.#closeIfIdle();
        }
    }

    #conclude(row: StoredRow, result: Result, output: Output): Promise<void> {
        if (result.kind === 'ended') return this.#end(row, result, output);
        if (result.kind === 'retries') return this.#retry(row, result, output);
        return this.#fanOut(row, result.tenants ?? [undefined]);
    }

    async #fanOut(row: StoredRow, tenants: readonly (TenantId | undefined)[]): Promise<void> {
        const { run } = row;
        const spread = this.#host?.planOf(run.job)?.settings.spread ?? 0;
        let ended: queue.Ended | undefined;
        while (!ended) ended = await this.#do((step) => queue.fanOut(step, row, tenants, spread));
        this.#tellStreak({ ...run, outcome: 'succeeded', endedAt: this.#now() }, ended);
    }

    async #retry(
        row: StoredRow,
        { at, error }: Extract<Result, { kind: 'retries' }>,
        output: Output,
    ): Promise<void> {
        const { run, batch } = row;
        this.#failures.set(run.id, error);
        const waits = await this.#do((step) => {
            step.consequences.push({ kind: 'waits', batch });
            keepOutput(step, row, output);
            return queue.retryLater(step, row, { at, ...textsOf(error) });
        });
        if (!waits) return this.#end(row, { outcome: 'aborted', reason: 'replaced', error }, output);
        this.#host?.emit({ type: 'run-retrying', run, error, delay: at - this.#now() });
        this.#wakeAt(at);
    }

    async #end(
        row: StoredRow,
        { outcome, reason, error }: Omit<Extract<Result, { kind: 'ended' }>, 'kind'>,
        output: Output,
    ): Promise<void> {
        const { run } = row;
        this.#failures.delete(run.id);
        Object.assign(run, { outcome, reason, error, endedAt: this.#now() });
        if (outcome === 'skipped') run.startedAt = undefined;
        const ending = { outcome, reason, ...textsOf(error) };
        const ended = await this.#do((step) => {
            keepOutput(step, row, output);
            const ended = queue.finish(step, row, ending);
            if (!output.isEmpty) limitOutputs(step, run.job, this.#host?.outputKept ?? 0);
            return ended;
        });
        this.#skipsBehind.delete(run.id);
        if (!ended.isInTime) this.#host?.emit({ type: 'run-was-lost', run });
        this.#tellEnd(run);
        this.#tellStreak(run, ended);
    }

    #heed(consequence: Consequence): void {
        if (consequence.kind === 'abort') {
            this.#running.get(consequence.id)?.signal.abort(consequence.reason);
            return;
        }
        if (consequence.kind === 'delayed') {
            // A process that does not work comes to its end.
            if (this.#isWorking) this.#wakeAt(consequence.until);
            return;
        }
        if (consequence.kind === 'waits') return;
        const { behind, since } = consequence;
        const run = { ...consequence.run, file: this.#host?.planOf(consequence.run.job)?.file };
        this.#tellEnd(run);
        this.#tellStreak(run, consequence);
        if (behind === undefined) return;
        const skips = (this.#skipsBehind.get(behind) ?? 0) + 1;
        this.#skipsBehind.set(behind, skips);
        if (since !== undefined && !run.manual && TOLD_SKIPS.includes(skips))
            this.#host?.emit({ type: 'lane-blocked', run, skips, age: this.#now() - since });
    }

    #tellEnd(run: Run): void {
        run.error ??= this.#failures.get(run.id);
        this.#failures.delete(run.id);
        this.#host?.emit({ type: 'run-ended', run });
        const waiter = this.#waiters.get(run.id);
        this.#waiters.delete(run.id);
        waiter?.resolve(run);
        // A process that only waited for its own runs is to end.
        if (!this.#isWorking && this.#waiters.size === 0) this.#cancelWake();
    }

    #tellStreak(run: Run, { streak }: Pick<queue.Ended, 'streak'>): void {
        if (streak) this.#host?.emit(streakEvent(run, streak));
    }

    /** What is delayed until then comes due in a step of its own. */
    #wakeAt(time: number): void {
        if (this.#wakesAt !== undefined && this.#wakesAt <= time) return;
        this.#cancelDue?.();
        this.#wakesAt = time;
        this.#cancelDue = this.#host?.clock.after(Math.max(0, time - this.#now()), () => {
            this.#wakesAt = undefined;
            this.#looksAtAll = true;
            this.#wakeAtNext();
        });
    }

    #wakeAtNext(): void {
        void this.#do(nextDue).then((next) => {
            if (next !== undefined) this.#wakeAt(next);
        });
    }

    #cancelWake(): void {
        this.#cancelDue?.();
        this.#wakesAt = undefined;
    }

    async #closeIfIdle(): Promise<void> {
        const store = this.#store;
        if (this.#running.size > 0 || !store) return;
        this.#cancelWake();
        // What waits in memory waits for nobody.
        if (!store.isShared) return this.#do(queue.giveUpAll);
        this.#cancelBeat?.();
        this.#cancelBeat = undefined;
        await this.#do((step) => {
            beat(step, this.#enqueuedUntil);
            forgetProcess(step, this.#owner.id);
        });
        if (!this.#isClosing || this.#store !== store) return;
        this.#store = undefined;
        this.#opening = undefined;
    }

    #now(): number {
        return this.#host?.clock.now() ?? 0;
    }
}

function batchesOf(consequences: readonly Consequence[]): number[] {
    const batches = new Set<number>();
    for (const consequence of consequences) if (consequence.kind === 'waits') batches.add(consequence.batch);
    return [...batches].sort((a, b) => a - b);
}

/** When the next delayed row comes due, or the next pause ends, in unix milliseconds. */
function nextDue({ database, now }: Step): number | undefined {
    const sql = `SELECT min(at) AS next FROM (
        SELECT min(run_at) AS at FROM bot_runs INDEXED BY bot_delayed WHERE state = 'delayed' AND run_at > ?1
        UNION ALL SELECT min(until) FROM bot_pauses WHERE until > ?1)`;
    return (database.statement(sql).get([now])?.['next'] as number | null) ?? undefined;
}

function textsOf(error: ErrorRecord | undefined): { error: string | undefined; stack: string | undefined } {
    return { error: error && `${error.name}: ${error.message}`, stack: error && traceOf(error) };
}
