import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import {
    ALL_JOBS,
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
import type { Lookups } from '../../runs/lookups.js';
import type { Run } from '../../runs/run.js';
import type { Schedule } from '../../schedule/schedule.js';
import { type ErrorRecord, traceOf } from '../../text/errors.js';
import { createOwner } from '../owner.js';
import type { Database } from './database.js';
import { endGap, enqueueSchedule, handledUntil, lastEnqueued, rewind, waitingSlots } from './enqueue.js';
import { type Consequence, enter, promote } from './lanes.js';
import { Liveness } from './liveness.js';
import { SqliteLookups } from './lookups.js';
import { pause, pausedJobs, resume } from './pauses.js';
import { abort, fanOut, finish, giveUpAll, giveUpGone, retryLater, take, waitingBatches } from './queue.js';
import { laneKey, NO_TURN, type RunningRow } from './rows.js';
import { placeOf, Store, UnavailableError } from './store.js';
import { Turns } from './turns.js';

/** As many runs are started in one step, so that no step blocks the event loop for long. */
const MOST_IN_STEP = 50;

/** As many schedules are enqueued in one step. */
const MOST_IN_ENQUEUE = 200;

/** How long a close waits for a store that is locked, in milliseconds. */
const LONGEST_CLOSE = 2_000;

/** A tick waits no longer than this for a lock: the next one makes up for it. */
const TICK_LOCK_TIMEOUT: LockTimeout = { milliseconds: 500 };

/** These skips behind one run are told with its age. */
const TOLD_SKIPS = [1, 10, 100];

type Work<T> = (database: Database, consequences: Consequence[]) => T;

/** What is to be done in the next step. */
interface Op {
    readonly work: Work<unknown>;
    readonly resolve: (result: never) => void;
    readonly reject: (error: unknown) => void;
}

interface Running {
    readonly row: RunningRow;
    readonly controller: AbortController;
}

/** The engine in the server's own process, with its queue and its history in SQLite. */
export class EmbeddedEngine implements Engine {
    readonly #owner = createOwner();
    readonly #running = new Map<string, Running>();
    readonly #conclusions = new Set<Promise<void>>();
    /** Runs that somebody here waits for, by their ids: he sees how they get on. */
    readonly #waiters = new Map<string, { readonly run: Run; resolve(run: Run): void }>();
    /** What runs that wait for their next attempt have failed with, by their ids. */
    readonly #failures = new Map<string, ErrorRecord>();
    readonly #skipsBehind = new Map<string, number>();
    #host: EngineHost | undefined;
    #store: Store | undefined;
    #opening: Promise<void> | undefined;
    #turns: Turns | undefined;
    #liveness: Liveness | undefined;
    #isWorking = false;
    #isClosing = false;
    #enqueuedUntil: number | undefined;
    /** The last second in which any process had enqueued, when this one looked. */
    #seenUntil = Number.NEGATIVE_INFINITY;
    readonly #ops: Op[] = [];
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
        this.#liveness?.start();
        this.#lookAtAll();
    }

    rest(): void {
        this.#isWorking = false;
    }

    async close(): Promise<void> {
        this.rest();
        this.#isClosing = true;
        // A run that has just ended is recorded first; one that goes on is not waited for.
        await nextTurn();
        await Promise.race([Promise.all(this.#conclusions), delay(LONGEST_CLOSE, undefined, { ref: false })]);
        await this.#closeIfIdle();
    }

    history(host: HistoryHost): Promise<Lookups> {
        return SqliteLookups.open(host, this.#store);
    }

    async handledUntil(
        schedules: readonly Schedule[],
        now: number,
    ): Promise<ReadonlyMap<string, number> | undefined> {
        return this.#tryNow((database) => handledUntil(database, schedules, now));
    }

    async waiting(): Promise<WaitingSlots> {
        return this.#do(waitingSlots);
    }

    async lastEnqueued(): Promise<LastEnqueued | undefined> {
        const found = await this.#tryNow((database) => lastEnqueued(database, this.#owner));
        if (!found) return undefined;
        this.#seenUntil = found.second;
        return { ...found, second: Math.max(found.second, this.#enqueuedUntil ?? Number.NEGATIVE_INFINITY) };
    }

    async enqueue(
        due: readonly DueSchedule[],
        second: number,
    ): Promise<ReadonlyMap<string, number> | undefined> {
        this.#store?.check();
        const conflicts = new Map<string, number>();
        for (let from = 0; from < due.length; from += MOST_IN_ENQUEUE) {
            const step = due.slice(from, from + MOST_IN_ENQUEUE);
            const enqueued = this.#transact((database, consequences) => {
                // Whoever ends a gap does so for all; another process may have done it since this one looked.
                const endsGap = from === 0 && step.some(({ decidesAnew }) => decidesAnew);
                if (endsGap && !endGap(database, this.#owner, this.#seenUntil, second)) return false;
                const paused = pausedJobs(database);
                for (const one of step) {
                    const known = enqueueSchedule(database, one, {
                        by: this.#owner,
                        now: this.#now(),
                        isPaused: paused.has(one.schedule.job) || paused.has(ALL_JOBS),
                        consequences,
                    });
                    if (known !== undefined) conflicts.set(one.schedule.key, known);
                }
                return true;
            }, TICK_LOCK_TIMEOUT);
            if (!(await this.#unlessAway(enqueued))) return undefined;
        }
        this.#enqueuedUntil = second;
        return conflicts;
    }

    async request({ run, plan, isAwaited, runAt, batch }: Request): Promise<Run> {
        const { overlap, missed } = plan.settings;
        const now = this.#now();
        const row = {
            kind: 'run' as const,
            run,
            lane: laneKey('run', run),
            origin: isAwaited ? ('waiter' as const) : ('later' as const),
            overlap,
            missed,
            catchesUp: false,
            batch: isAwaited ? (batch ?? NO_TURN) : Math.floor((runAt ?? now) / 1000) * 2,
            position: 0,
            runAt: runAt ?? now,
        };
        const over = isAwaited && new Promise<Run>((resolve) => this.#waiters.set(run.id, { run, resolve }));
        await this.#do((database, consequences) => {
            if (isAwaited) consequences.push(...giveUpGone(database, run.job, row.lane, now));
            consequences.push(...enter(database, row, this.#owner, now));
        });
        if (runAt !== undefined) this.#wakeAt(runAt);
        return over || run;
    }

    async abort({ id, job }: Pick<Run, 'id' | 'job'>, reason: string): Promise<void> {
        await this.#do((database, consequences) => {
            consequences.push(...abort(database, id, job, reason, this.#owner, this.#now()));
        });
    }

    abandon(reason: GiveUpReason): void {
        const endedAt = this.#now();
        for (const { row } of this.#running.values()) {
            const { run } = row;
            if (run.outcome !== undefined) continue;
            Object.assign(run, { outcome: 'aborted', reason, endedAt });
            const ending = { outcome: 'aborted', reason, endedAt, error: undefined, stack: undefined };
            this.#store?.tryWriteNow((database) => finish(database, row, ending, this.#owner));
            this.#host?.emit({ type: 'run-ended', run });
        }
        this.#running.clear();
    }

    async rewind(second: number): Promise<void> {
        await this.#do((database) => rewind(database, second));
    }

    async pausedJobs(): Promise<readonly string[]> {
        return this.#do((database) => [...pausedJobs(database)]);
    }

    async pause(job: string): Promise<void> {
        await this.#do((database, consequences) => {
            consequences.push(...pause(database, job, this.#owner, this.#now()));
        });
    }

    async resume(job: string): Promise<void> {
        this.#looksAtAll = true;
        await this.#do((database) => resume(database, job, this.#now()));
    }

    async #open(host: EngineHost): Promise<void> {
        this.#host = host;
        this.#turns = new Turns(host.clock, host.concurrency, host.turn, () => this.#lookAtAll());
        const place = await placeOf(host);
        const shown = place?.shown ?? '';
        this.#store = await Store.open({
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
        this.#liveness = new Liveness({
            host,
            owner: this.#owner,
            isNeeded: () => this.#store?.isShared === true && (this.#isWorking || this.#running.size > 0),
            enqueuedUntil: () => this.#enqueuedUntil,
            write: (work) => {
                this.#looksAtAll = true;
                return this.#do(work);
            },
            abort: (id, reason) => this.#running.get(id)?.controller.abort(reason),
            check: () => this.#store?.check(),
        });
        if (this.#store.isShared) await this.#liveness.beat();
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
                (database, consequences) => ops.map(({ work }) => work(database, consequences)),
                this.#host?.lockTimeout,
            );
            for (const [index, { resolve }] of ops.entries()) resolve(results?.[index] as never);
        } catch (error) {
            for (const { reject } of ops) reject(error);
        }
    }

    /** One transaction: some work, what has come due meanwhile, and the runs that may start after it. */
    async #transact<T>(work: Work<T>, lockTimeout?: LockTimeout): Promise<T | undefined> {
        const step = await this.#store?.write((database) => {
            const consequences: Consequence[] = [];
            const result = work(database, consequences);
            if (this.#looksAtAll || (this.#wakesAt ?? Infinity) <= this.#now())
                consequences.push(...promote(database, this.#owner, this.#now(), MOST_IN_STEP));
            const batches = this.#looksAtAll ? waitingBatches(database) : batchesOf(consequences);
            return { result, consequences, taken: this.#take(database, batches) };
        }, lockTimeout);
        if (!step) return undefined;
        this.#looksAtAll = step.taken.length === MOST_IN_STEP;
        for (const consequence of step.consequences) this.#heed(consequence);
        for (const row of step.taken) this.#start(row);
        if (this.#looksAtAll) this.#lookAtAll();
        return step.result;
    }

    /** In the next step whatever waits is looked at: others may have left something, or a turn was lost. */
    #lookAtAll(): void {
        this.#looksAtAll = true;
        void this.#do(() => {});
    }

    async #tryNow<T>(work: (database: Database) => T): Promise<T | undefined> {
        return this.#unlessAway(this.#store?.write(work, TICK_LOCK_TIMEOUT));
    }

    async #unlessAway<T>(written: Promise<T> | undefined): Promise<T | undefined> {
        try {
            return await written;
        } catch (error) {
            if (error instanceof JournalLockedError || error instanceof UnavailableError) return undefined;
            throw error;
        }
    }

    #take(database: Database, batches: readonly number[]): RunningRow[] {
        const host = this.#host as EngineHost;
        const turns = this.#turns as Turns;
        const taken: RunningRow[] = [];
        const from = {
            by: this.#owner,
            now: this.#now(),
            anything: this.#isWorking,
            isFull: (batch: number) => turns.isFull(batch, taken),
            knows: (job: string) => host.planOf(job) !== undefined,
            fileOf: (job: string) => host.planOf(job)?.file,
        };
        for (const batch of batches)
            while (taken.length < MOST_IN_STEP) {
                const row = take(database, batch, from);
                if (!row) break;
                const awaited = this.#waiters.get(row.run.id)?.run;
                const { attempt, startedAt } = row.run;
                taken.push(awaited ? { ...row, run: Object.assign(awaited, { attempt, startedAt }) } : row);
            }
        return taken;
    }

    #start(row: RunningRow): void {
        const { kind, run, batch } = row;
        const controller = new AbortController();
        this.#running.set(run.id, { row, controller });
        const endTurn = batch === NO_TURN ? undefined : this.#turns?.begin(batch);
        this.#liveness?.start();
        const performed = this.#host?.perform({ kind, run, signal: controller.signal, dueAt: row.runAt });
        void performed
            ?.then((result) => {
                endTurn?.();
                const conclusion = this.#conclude(row, result).finally(() =>
                    this.#conclusions.delete(conclusion),
                );
                this.#conclusions.add(conclusion);
                return conclusion;
            })
            .catch((error) => this.#host?.emit({ type: 'engine-failed', error }))
            .finally(() => {
                this.#running.delete(run.id);
                if (this.#isClosing) void this.#closeIfIdle();
            });
    }

    async #conclude(row: RunningRow, result: Result): Promise<void> {
        const { run } = row;
        if (result.kind === 'fans out') return this.#fanOut(row, result.tenants ?? [undefined]);
        if (result.kind === 'retries') {
            const { at, error } = result;
            this.#failures.set(run.id, error);
            const texts = { at, ...textsOf(error) };
            const answer = await this.#do((database, consequences) => {
                consequences.push({ kind: 'waits', batch: row.batch });
                return retryLater(database, row, texts, this.#owner);
            });
            if (answer === 'waits') {
                this.#host?.emit({ type: 'run-retrying', run, error, delay: at - this.#now() });
                return this.#wakeAt(at);
            }
            return this.#end(row, { kind: 'ended', outcome: 'aborted', reason: 'replaced', error });
        }
        return this.#end(row, result);
    }

    async #end(
        row: RunningRow,
        { outcome, reason, error }: Extract<Result, { kind: 'ended' }>,
    ): Promise<void> {
        const endedAt = this.#now();
        const { run } = row;
        this.#failures.delete(run.id);
        Object.assign(run, { outcome, reason, error, endedAt });
        if (outcome === 'skipped') run.startedAt = undefined;
        const ending = { outcome, reason, endedAt, ...textsOf(error) };
        const isInTime = await this.#do((database, consequences) => {
            const freed = finish(database, row, ending, this.#owner);
            consequences.push(...(freed ?? []));
            return freed !== undefined;
        });
        this.#skipsBehind.delete(run.id);
        if (!isInTime) this.#host?.emit({ type: 'run-was-lost', run });
        this.#tellEnd(run);
    }

    async #fanOut(row: RunningRow, tenants: Parameters<typeof fanOut>[2]): Promise<void> {
        for (let isLast = false; !isLast; ) {
            isLast = await this.#do((database, consequences) => {
                const step = fanOut(database, row, tenants, this.#owner, this.#now());
                consequences.push(...(step?.consequences ?? []));
                return step?.isLast ?? true;
            });
        }
    }

    #heed(consequence: Consequence): void {
        if (consequence.kind === 'abort') {
            this.#running.get(consequence.id)?.controller.abort(consequence.reason);
            return;
        }
        if (consequence.kind === 'waits') return;
        const { run, behind, since } = consequence;
        this.#tellEnd({ ...run, file: this.#host?.planOf(run.job)?.file });
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

    /** What is delayed until then comes due in a step of its own. */
    #wakeAt(time: number): void {
        if (this.#wakesAt !== undefined && this.#wakesAt <= time) return;
        this.#cancelDue?.();
        this.#wakesAt = time;
        this.#cancelDue = this.#host?.clock.after(Math.max(0, time - this.#now()), () => {
            this.#wakesAt = undefined;
            this.#looksAtAll = true;
            void this.#do((database) => nextDue(database, this.#now())).then((next) => {
                if (next !== undefined) this.#wakeAt(next);
            });
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
        if (!store.isShared) {
            await this.#do((database, consequences) => {
                consequences.push(...giveUpAll(database, this.#now()));
            });
            return;
        }
        await this.#liveness?.end();
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

/** When the next delayed row comes due, in unix milliseconds; those that wait for the end of a pause are left out. */
function nextDue(database: Database, now: number): number | undefined {
    const sql =
        "SELECT min(run_at) AS next FROM bot_runs INDEXED BY bot_delayed WHERE state = 'delayed' AND run_at > ?";
    return (database.statement(sql).get([now])?.['next'] as number | null) ?? undefined;
}

function textsOf(error: ErrorRecord | undefined): { error: string | undefined; stack: string | undefined } {
    return { error: error && `${error.name}: ${error.message}`, stack: error && traceOf(error) };
}
