import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/config.js';
import type { RedisSettings } from '../../config/redis_settings.js';
import {
    ALL_JOBS,
    type DueSchedule,
    type Engine,
    type EngineHost,
    type HistoryHost,
    type LastEnqueued,
    type Request,
    type WaitingSlots,
} from '../../runs/engine.js';
import type { GiveUpReason } from '../../runs/events.js';
import type { Lookups } from '../../runs/lookups.js';
import type { Run } from '../../runs/run.js';
import type { Schedule } from '../../schedule/schedule.js';
import { readError, toError } from '../../text/errors.js';
import { createOwner } from '../owner.js';
import { Attempts } from './attempts.js';
import { Beats } from './beats.js';
import { Connection, type ConnectionListener, RedisAwayError } from './connection.js';
import { RedisHistory } from './history.js';
import type { EndedRow, Skips, Unit } from './lanes.js';
import { RedisLookups } from './lookups.js';
import { type Connect, connectWith, loadPackages, type Packages, readPrefix } from './packages.js';
import { laneKey, memberOf, type RedisRow, type RowParts, rowOf, runOf, workerName } from './rows.js';
import { type Intent, Steps } from './steps.js';
import { type Locks, QUEUE, QueueWorker } from './worker.js';

/** A death is found within 22 s; a job may block its process for 7 s. */
const LOCKS: Locks = { lock: 15_000, check: 7_000 };

/** These skips behind one run are told with its age. */
const TOLD_SKIPS = [1, 10, 100];

/** So many skipped slots are looked at one by one, whether any of them has run. */
const MOST_LOOKED_AT = 1_000;

/** So long it takes a process of the first edition to beat once more, in milliseconds. */
const FIRST_EDITION_BEAT = 1_500;

/** A process is busy until it has had nothing to do for so long, in milliseconds. */
const BUSY = 10_000;

/** What goes wrong in BullMQ is told again after so long, in milliseconds. */
const TELL_AGAIN = 60_000;

/** What is there while the engine is open. */
interface Opened {
    readonly host: EngineHost;
    readonly connection: Connection;
    readonly packages: Packages;
    readonly connect: Connect;
    readonly steps: Steps;
    readonly attempts: Attempts;
    readonly beats: Beats;
}

/** Somebody here waits for a run. */
interface Waiter {
    readonly row: RedisRow;
    readonly run: Run;
    /** Resolves when it is in its lane, or does not enter it. */
    readonly entered: Promise<void>;
    resolve(run: Run): void;
}

/** The engine on Redis: ids, attempts, backoff, stalled jobs and workers are BullMQ's; lanes and history are ours. */
export class BullmqEngine implements Engine {
    readonly #owner = createOwner();
    readonly #settings: RedisSettings;
    readonly #waiters = new Map<string, Waiter>();
    readonly #skipsBehind = new Map<string, number>();
    readonly #toldAt = new Map<string, number>();
    #opened: Opened | undefined;
    #opening: Promise<void> | undefined;
    #worker: QueueWorker | undefined;
    /** Resolves when the worker of before has let go. */
    #closing: Promise<void> | undefined;
    /** Lets go of the connection; a process that neither works nor waits for a run keeps none, so that it comes to its end. */
    #release: (() => void) | undefined;
    #isWorking = false;
    /** When it had something to do last, by the monotonic clock. */
    #busyAt = Number.NEGATIVE_INFINITY;
    #enqueuedUntil: number | undefined;
    /** The last second in which any process had enqueued, when this one looked. */
    #seenUntil = Number.NEGATIVE_INFINITY;

    constructor(
        private readonly config: Pick<Config, 'redis' | 'redisPrefix' | 'role'>,
        private readonly locks = LOCKS,
    ) {
        this.#settings = config.redis as RedisSettings;
    }

    get description(): string {
        const role = this.config.role === 'both' ? '' : `, ${this.config.role}`;
        const prefix = this.#opened ? `, ${this.#opened.connection.prefix}` : '';
        return `bullmq, Redis ${this.#settings.place}${prefix}${role}`;
    }

    get isIdle(): boolean {
        return this.#opened?.attempts.isIdle ?? true;
    }

    open(host: EngineHost): Promise<void> {
        this.#opening ??= this.#open(host).catch((error) => {
            this.#opening = undefined;
            throw error;
        });
        return this.#opening;
    }

    work(): void {
        const opened = this.#opened;
        if (!opened) return;
        this.#isWorking = true;
        this.#release ??= opened.connection.hold();
        opened.beats.start();
        void opened.beats.beat();
        if (this.config.role !== 'scheduler') this.#worker ??= this.#createWorker(opened);
    }

    rest(): void {
        this.#isWorking = false;
        if (!this.#worker) return;
        this.#closing = this.#worker.close();
        this.#worker = undefined;
    }

    async close(): Promise<void> {
        this.rest();
        const closing = this.#closing;
        const opened = this.#opened;
        if (!opened) return;
        // A run that goes on keeps it open until then.
        if (opened.attempts.running.size > 0) return void opened.attempts.rested().then(() => this.close());
        await closing;
        await opened.attempts.end();
        if (this.#opened !== opened || opened.attempts.running.size > 0 || this.#isWorking) return;
        this.#opened = undefined;
        this.#opening = undefined;
        await this.#letGo(opened);
        await opened.steps.close();
    }

    async history(host: HistoryHost): Promise<Lookups> {
        if (this.#opened) return new RedisLookups(this.#opened.connection, () => {});
        const { connection } = await this.#connectionFor(host, { away: () => {}, back: () => {} });
        const release = connection.hold();
        try {
            await connection.use((client) => client.ping());
        } catch (error) {
            release();
            throw error;
        }
        return new RedisLookups(connection, release);
    }

    async handledUntil(
        schedules: readonly Schedule[],
        now: number,
    ): Promise<ReadonlyMap<string, number> | undefined> {
        if (schedules.length === 0) return new Map();
        return this.#unlessAway(async ({ connection }) => {
            const handled = connection.key('handled');
            const keys = schedules.map(({ key }) => key);
            const known = await connection.use(async (client) => {
                await Promise.all(keys.map((key) => client.hsetnx(handled, key, now)));
                return client.hmget(handled, ...keys);
            });
            return new Map(keys.map((key, index) => [key, Number(known[index] ?? now)]));
        });
    }

    async waiting(): Promise<WaitingSlots> {
        const rows = (await this.#unlessAway((opened) => this.#waitingRows(opened))) ?? [];
        return {
            of: ({ job, text }) => {
                const mine = rows.filter((row) => row.job === job && row.schedule === text);
                return [...new Set(mine.map(({ slot }) => slot ?? 0))].sort((a, b) => a - b);
            },
        };
    }

    async lastEnqueued(): Promise<LastEnqueued | undefined> {
        const found = await this.#unlessAway(({ beats }) => beats.lastEnqueued());
        if (found) this.#seenUntil = found.second;
        return found;
    }

    async enqueue(
        due: readonly DueSchedule[],
        second: number,
    ): Promise<ReadonlyMap<string, number> | undefined> {
        const moved = await this.#unlessAway(async (opened) => {
            if (due.length === 0) return opened.connection.isAway ? undefined : new Map<string, number>();
            this.#busyAt = performance.now();
            const endsGap = due.some(({ decidesAnew }) => decidesAnew);
            const leader = endsGap ? await this.#endGap(opened, second) : undefined;
            if (endsGap && !leader) return undefined;
            const waiting = endsGap ? await this.#waitingRows(opened) : [];
            const intents = await Promise.all(due.map((one) => this.#intentOf(one, waiting, opened)));
            return opened.steps.enqueue(intents, leader);
        });
        if (moved) this.#enqueuedUntil = second;
        return moved;
    }

    async request({ run, plan, isAwaited, runAt }: Request): Promise<Run> {
        const { steps, beats, host, connection } = this.#openedNow;
        const { overlap, missed, retries } = plan.settings;
        const parts: RowParts = {
            kind: 'run',
            origin: isAwaited ? 'waiter' : 'later',
            overlap,
            missed,
            catchesUp: false,
            runAt: runAt ?? host.clock.now(),
            heedsPauses: runAt !== undefined,
            retries,
        };
        const row = rowOf(run, parts, this.#owner);
        this.#busyAt = performance.now();
        if (!isAwaited) {
            await steps.enter([row]);
            return run;
        }
        this.#release ??= connection.hold();
        return new Promise((resolve, reject) => {
            // Others take it for left behind where this process shows no life.
            const entered = beats.beat().then(() => steps.enter([row]));
            this.#waiters.set(row.id, { row, run, entered, resolve });
            beats.start();
            entered.catch((error) => {
                this.#waiters.delete(row.id);
                reject(error);
            });
        });
    }

    async abort({ id }: Pick<Run, 'id' | 'job'>, reason: string): Promise<void> {
        const { connection, steps } = this.#openedNow;
        await this.#waiters.get(id)?.entered.catch(() => {});
        const text = await connection.use((client) => client.hget(connection.key('rows'), id));
        if (text) await steps.stop(JSON.parse(text) as RedisRow, reason);
    }

    abandon(reason: GiveUpReason): void {
        this.#opened?.attempts.abandon(reason);
    }

    // What is handled stays so: the clocks of other machines may be right.
    async rewind(): Promise<void> {}

    async pausedJobs(): Promise<readonly string[]> {
        return new RedisHistory(this.#openedNow.connection, () => {}).pausedJobs();
    }

    async pause(job: string): Promise<void> {
        const { connection, beats, host } = this.#openedNow;
        const now = Math.floor(host.clock.now());
        await connection.use((client) => client.hset(connection.key('live'), `pause ${job}`, now));
        beats.paused = new Set([...beats.paused, job]);
    }

    async resume(job: string): Promise<void> {
        const { connection, steps, host } = this.#openedNow;
        const { key } = connection;
        const second = Math.floor(host.clock.now() / 1000);
        const paused = await this.pausedJobs();
        const ending = job === ALL_JOBS ? paused : paused.filter((name) => name === job);
        if (ending.length === 0) return;
        const handled = await connection.use((client) => client.hgetall(key('handled')));
        const behind = Object.entries(handled).filter(([schedule, until]) => {
            const [of] = JSON.parse(schedule) as [string];
            return (ending.includes(of) || paused.includes(ALL_JOBS)) && Number(until) < second;
        });
        await steps.enqueue(
            behind.map(([schedule, until]) => ({
                rows: [],
                handled: [schedule, Number(until)],
                ops: [['HSET', 'handled', schedule, String(second)]],
                decide: () => {},
            })),
        );
        await connection.use((client) => client.hdel(key('live'), ...ending.map((name) => `pause ${name}`)));
    }

    async #open(host: EngineHost): Promise<void> {
        let since = 0;
        const { place } = this.#settings;
        const { connection, packages, connect } = await this.#connectionFor(host, {
            away: (detail) => {
                since = Date.now();
                host.emit({ type: 'redis-away', place, detail });
            },
            back: () => {
                host.emit({ type: 'redis-back', place, after: Date.now() - since });
                host.recovered();
            },
        });
        const owner = this.#owner;
        const steps = new Steps({
            connection,
            packages,
            host,
            owner,
            ended: (ended) => this.#tellSkipped(ended),
            abort: (id, reason) => attempts.running.get(id)?.controller.abort(reason),
            ready: (row) => void this.#perform(row),
        });
        const common = {
            host,
            connection,
            packages,
            owner,
            steps,
            tellEnd: (run: Run) => this.#tellEnd(run),
        };
        const attempts = new Attempts({
            ...common,
            isWorking: () => this.#isWorking,
            isPaused: async (job) => {
                const isAmong = (paused: Iterable<string>) =>
                    [...paused].some((name) => name === job || name === ALL_JOBS);
                return (
                    isAmong(beats.paused) &&
                    isAmong(await new RedisHistory(connection, () => {}).pausedJobs())
                );
            },
            begun: () => {
                this.#busyAt = performance.now();
                beats.start();
            },
        });
        const beats = new Beats({
            ...common,
            patience: this.locks.lock,
            enqueuedUntil: () => this.#enqueuedUntil,
            isNeeded: () => this.#release !== undefined,
            isBusy: () =>
                this.#waiters.size > 0 || !attempts.isIdle || performance.now() - this.#busyAt < BUSY,
            beaten: (aborts) => this.#heed(aborts),
            resumed: () => {
                void this.#worker?.lockAgain();
                void beats.compareClocks().catch(ignoreAway);
            },
        });
        await refuseFirstEdition(connection).catch(ignoreAway);
        this.#opened = { host, connection, packages, connect, steps, attempts, beats };
        await beats.beat();
    }

    async #letGo({ beats }: Opened): Promise<void> {
        const release = this.#release;
        this.#release = undefined;
        await beats.leave().catch(ignoreAway);
        release?.();
    }

    async #connectionFor(host: HistoryHost, listener: ConnectionListener) {
        const packages = await loadPackages();
        const connect = connectWith(packages);
        const prefix = await readPrefix(this.config.redisPrefix, host.environment);
        return { connection: new Connection(this.#settings, prefix, connect, listener), packages, connect };
    }

    #createWorker({ host, connection, packages, connect, attempts, beats }: Opened): QueueWorker {
        return new QueueWorker({
            packages,
            connect,
            settings: this.#settings,
            prefix: connection.prefix,
            name: workerName(this.#owner),
            concurrency: host.concurrency,
            locks: this.locks,
            process: (job, token) => attempts.process(job, token),
            delayAfter: attempts.delayAfter,
            ended: (job) => attempts.ended(job),
            lost: (id) => attempts.lost(id),
            answersSince: beats.answersSince,
            rested: () => attempts.rested(),
            failed: (error) => this.#tell(error),
        });
    }

    /** What is done first in the step that ends a gap; undefined: another process has ended it since this one looked. */
    async #endGap({ connection }: Opened, second: number): Promise<Unit | undefined> {
        const known =
            (await connection.use((client) => client.hget(connection.key('live'), 'enqueued'))) ?? '';
        if (Number(known) > Math.max(0, this.#seenUntil)) return undefined;
        const until = String(Math.max(second, Number(known)));
        return { checks: [['HGET', 'live', 'enqueued', known]], ops: [['HSET', 'live', 'enqueued', until]] };
    }

    async #intentOf(due: DueSchedule, waiting: readonly RedisRow[], opened: Opened): Promise<Intent> {
        const { schedule, skipped } = due;
        const isSkipped = ({ slot }: RedisRow) =>
            slot !== null && skipped.some(({ first, last }) => slot >= first && slot <= last);
        const dropped = waiting.filter(
            (row) => row.job === schedule.job && row.schedule === schedule.text && isSkipped(row),
        );
        const ids = new Set(dropped.map(({ id }) => id));
        const parts = await Promise.all(skipped.map((slots) => this.#withoutRuns(due, slots, ids, opened)));
        return opened.steps.intentOf(due, dropped, parts.flat());
    }

    // The crontab was changed, and changed back: some of the slots have run under the other.
    async #withoutRuns(
        { schedule, plan }: DueSchedule,
        { reason, first, last, atLeast, count }: DueSchedule['skipped'][number],
        dropped: ReadonlySet<string>,
        { connection }: Opened,
    ): Promise<Skips[]> {
        const skips = (from: number, to: number, slots: number, isMore: boolean): Skips => ({
            reason,
            first: from,
            last: to,
            count: slots,
            atLeast: isMore,
        });
        const slots: number[] = [];
        for (
            let slot: number | undefined = first;
            slot !== undefined && slot <= last;
            slot = schedule.next(slot)
        )
            if (slots.push(slot) > MOST_LOOKED_AT) break;
        const of = { job: plan.name, args: schedule.args, tenant: undefined };
        const lanes = [laneKey('run', of), laneKey('slot', of)];
        const ran = await connection.use((client) =>
            Promise.all(
                slots.map((slot) => {
                    const ids = lanes.map((lane) => `${slot}-${lane}`);
                    if (ids.some((id) => dropped.has(id))) return 0;
                    return client.exists(...ids.map((id) => connection.key(`${QUEUE}:${id}`)));
                }),
            ),
        );
        if (ran.every((one) => one === 0)) return [skips(first, last, count, atLeast)];
        return slots.filter((_, index) => ran[index] === 0).map((slot) => skips(slot, slot, 1, false));
    }

    /** The rows that schedules made, and that never started. */
    async #waitingRows({ connection, host }: Opened): Promise<RedisRow[]> {
        const { key } = connection;
        const texts = await connection.use((client) => client.hvals(key('rows')));
        const rows = texts
            .map((text) => JSON.parse(text) as RedisRow)
            .filter(({ origin, runAt }) => origin === 'schedule' && runAt <= host.clock.now());
        const begun = await connection.use((client) =>
            Promise.all(rows.map(({ id }) => client.hexists(key(`${QUEUE}:${id}`), 'processedOn'))),
        );
        return rows.filter((_, index) => begun[index] === 0);
    }

    async #heed(aborts: ReadonlyMap<string, string>): Promise<void> {
        const { attempts, connection } = this.#openedNow;
        const { running } = attempts;
        for (const [id, reason] of aborts) running.get(id)?.controller.abort(reason);
        await attempts.note(
            [...running.values()].filter(({ isNoted, row }) => !isNoted && row.kind === 'run'),
        );
        for (const { row } of this.#waiters.values()) {
            if (running.has(row.id)) continue;
            const lane = connection.key(`lane:${row.lane}`);
            const head = await connection.use((client) => client.lindex(lane, 0));
            if (head === memberOf(row)) void this.#perform(row);
        }
    }

    // A run that somebody here waits for: it is in no queue.
    async #perform(row: RedisRow): Promise<void> {
        const { attempts } = this.#openedNow;
        const waiter = this.#waiters.get(row.id);
        if (!waiter || attempts.running.has(row.id)) return;
        try {
            if (await attempts.performAwaited(row, waiter.run)) this.#tellEnd(waiter.run);
        } catch (error) {
            this.#tell(toError(error));
        }
    }

    #tellSkipped({ row, reason, past, behind }: EndedRow): void {
        const { host } = this.#openedNow;
        const run = this.#waiters.get(row.id)?.run ?? runOf(row, host.planOf(row.job)?.file);
        const outcome = past ? 'aborted' : 'skipped';
        Object.assign(run, { outcome, reason, endedAt: host.clock.now() });
        if (past) Object.assign(run, { attempt: past.attempt, startedAt: past.startedAt });
        this.#tellEnd(run);
        if (behind !== undefined && !run.manual) void this.#tellBlocked(run, behind).catch(ignoreAway);
    }

    async #tellBlocked(run: Run, behind: string): Promise<void> {
        const { host, connection } = this.#openedNow;
        const skips = (this.#skipsBehind.get(behind) ?? 0) + 1;
        this.#skipsBehind.set(behind, skips);
        if (!TOLD_SKIPS.includes(skips)) return;
        const key = connection.key(`${QUEUE}:${behind}`);
        const since = await connection.use((client) => client.hget(key, 'processedOn'));
        if (since) host.emit({ type: 'lane-blocked', run, skips, age: Date.now() - Number(since) });
    }

    #tellEnd(run: Run): void {
        this.#skipsBehind.delete(run.id);
        this.#opened?.host.emit({ type: 'run-ended', run });
        this.#waiters.get(run.id)?.resolve(run);
        const wasWaiting = this.#waiters.delete(run.id);
        const isOver = wasWaiting && this.#waiters.size === 0 && !this.#isWorking;
        if (isOver && this.#opened) void this.#letGo(this.#opened);
    }

    async #unlessAway<T>(work: (opened: Opened) => Promise<T>): Promise<T | undefined> {
        try {
            return this.#opened && (await work(this.#opened));
        } catch (error) {
            return ignoreAway(error);
        }
    }

    // Of the connection the connection tells.
    #tell(error: Error): void {
        const opened = this.#opened;
        const isOfConnection = 'code' in error || 'syscall' in error || error instanceof RedisAwayError;
        if (!opened || opened.connection.isAway || isOfConnection || /connection|socket/i.test(error.message))
            return;
        const now = performance.now();
        if (now - (this.#toldAt.get(error.message) ?? -Infinity) < TELL_AGAIN) return;
        this.#toldAt.set(error.message, now);
        opened.host.emit({ type: 'engine-failed', error: readError(error) });
    }

    get #openedNow(): Opened {
        if (!this.#opened) throw new Error('the engine is not open');
        return this.#opened;
    }
}

// The first edition has another form of everything in Redis: each of the two would run every slot.
async function refuseFirstEdition(connection: Connection): Promise<void> {
    const beats = async () => {
        const state = await connection.use((client) => client.hgetall(connection.key('state')));
        return new Map(Object.entries(state).filter(([field]) => field.startsWith('beat ')));
    };
    const before = await beats();
    if (before.size === 0) return;
    await delay(FIRST_EDITION_BEAT);
    const after = await beats();
    if (![...after].some(([field, beat]) => before.get(field) !== beat)) return;
    throw new Error(
        `Processes of pinstripe-bot's first edition work on ${connection.prefix} in Redis: stop them first, for they would run every slot once more.`,
    );
}

function ignoreAway(error: unknown): undefined {
    if (error instanceof RedisAwayError) return undefined;
    throw error;
}
