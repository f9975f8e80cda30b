import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
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
    type Result,
    type WaitingSlots,
} from '../../runs/engine.js';
import type { GiveUpReason } from '../../runs/events.js';
import type { History } from '../../runs/history.js';
import { createRun, type Run, type TenantId } from '../../runs/run.js';
import { mayHaveTenants } from '../../runs/tenants.js';
import type { Schedule } from '../../schedule/schedule.js';
import { readError, toError } from '../../text/errors.js';
import { createOwner } from '../owner.js';
import { Connection, RedisAwayError } from './connection.js';
import { RedisHistory } from './history.js';
import { readPrefix } from './key_prefix.js';
import { type Connect, connectWith, loadPackages, type Packages } from './packages.js';
import { laneKey, pastOf, pastRunOf, type RedisRow, type RowParts, rowOf, runOf } from './rows.js';
import { readStep, type Step } from './scripts.js';
import { type Locks, QUEUE, QueueWorker } from './worker.js';

/** How often a process shows that it is alive, in milliseconds. */
const BEAT = 1_000;

/** A process that has shown no life for this long, in milliseconds, does not work. */
const SILENT = 10_000;

/** How often rows that fell between two steps are looked for: each so many beats. */
const LOOK_EVERY = 5;

/** As many tenants get their runs in one step. */
const MOST_IN_STEP = 200;

/** Runs without a priority are taken first: a long catch-up keeps no slot waiting that is due now. */
const AFTER_FRESH = 10;

/** Ended runs stay in BullMQ this long, in seconds: a forgotten id is a slot that may run twice. */
const KEPT = 2 * 24 * 3_600;

/** When a run comes again that may not start yet, in milliseconds. */
const COME_AGAIN = 1_000;

/** So long a run waits for a process that knows its job, in milliseconds: while releases change, one comes. */
const PATIENCE_WITH_RELEASES = 300_000;

/** A death is found within 22 s; a job may block its process for 7 s. */
const LOCKS: Locks = { lock: 15_000, check: 7_000 };

/** These skips behind one run are told with its age. */
const TOLD_SKIPS = [1, 10, 100];

/** What is there while the engine is open. */
interface Opened {
    readonly host: EngineHost;
    readonly connection: Connection;
    readonly packages: Packages;
    readonly connect: Connect;
    readonly release: () => void;
}

/** A run that goes on here. */
interface Running {
    readonly row: RedisRow;
    readonly run: Run;
    readonly controller: AbortController;
}

/** A run failed, and is to be tried again: how long BullMQ is to wait. */
class NextAttempt extends Error {
    constructor(readonly delay: number) {
        super('it is tried again');
    }
}

/** The engine on Redis: ids, attempts, backoff, stalled jobs and workers are BullMQ's; lanes and history are ours. */
export class BullmqEngine implements Engine {
    readonly isIdle = true;
    readonly #owner = createOwner();
    readonly #settings: RedisSettings;
    readonly #running = new Map<string, Running>();
    /** Rows of this process that somebody waits for, by id. */
    readonly #waiters = new Map<
        string,
        { readonly row: RedisRow; readonly run: Run; resolve(run: Run): void }
    >();
    /** What has ended here and BullMQ has not taken yet, by id. */
    readonly #results = new Map<string, Run>();
    readonly #leaving = new Set<Promise<void>>();
    readonly #skipsBehind = new Map<string, number>();
    #opened: Opened | undefined;
    #opening: Promise<void> | undefined;
    #worker: QueueWorker | undefined;
    /** Resolves when the worker of before has let go. */
    #closing: Promise<void> | undefined;
    #queue: { readonly client: Redis; readonly bullmq: Queue } | undefined;
    #cancelBeat: (() => void) | undefined;
    #beats = 0;
    #isWorking = false;
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

    open(host: EngineHost): Promise<void> {
        this.#opening ??= this.#open(host).catch((error) => {
            this.#opening = undefined;
            throw error;
        });
        return this.#opening;
    }

    work(): void {
        this.#isWorking = true;
        this.#keepBeating();
        if (this.#opened && this.config.role !== 'scheduler')
            this.#worker ??= this.#createWorker(this.#opened);
        void this.#beat();
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
        // A run that goes on keeps it open until then.
        if (this.#running.size > 0) return void closing?.then(() => this.close());
        await closing;
        await Promise.all(this.#leaving);
        const opened = this.#opened;
        if (!opened || this.#running.size > 0) return;
        this.#cancelBeat?.();
        this.#cancelBeat = undefined;
        const { connection, release } = opened;
        this.#opened = undefined;
        this.#opening = undefined;
        await connection
            .use((client) => client.hdel(connection.key('beats'), this.#owner.id))
            .catch(ignoreAway);
        await this.#queue?.bullmq.close().catch(() => {});
        this.#queue = undefined;
        release();
    }

    async history(host: HistoryHost): Promise<History> {
        if (this.#opened) return new RedisHistory(this.#opened.connection, () => {});
        const { connection } = await this.#connectionFor(host, { away: () => {}, back: () => {} });
        const release = connection.hold();
        try {
            await connection.use((client) => client.ping());
        } catch (error) {
            release();
            throw error;
        }
        return new RedisHistory(connection, release);
    }

    async handledUntil(
        schedules: readonly Schedule[],
        now: number,
    ): Promise<ReadonlyMap<string, number> | undefined> {
        const key = this.#key('handled');
        if (schedules.length === 0) return new Map();
        return this.#unlessAway(async (client) => {
            for (const schedule of schedules) void client.hsetnx(key, schedule.key, now).catch(() => {});
            const found = await client.hmget(key, ...schedules.map((schedule) => schedule.key));
            return new Map(schedules.map((schedule, index) => [schedule.key, Number(found[index] ?? now)]));
        });
    }

    async waiting(): Promise<WaitingSlots> {
        const rows = await this.#waitingRows();
        return {
            of: ({ job, text }) =>
                [
                    ...new Set(
                        rows
                            .filter((row) => row.job === job && row.schedule === text)
                            .map(({ slot }) => slot ?? 0),
                    ),
                ].sort((a, b) => a - b),
        };
    }

    async lastEnqueued(): Promise<LastEnqueued | undefined> {
        const now = this.#now();
        return this.#unlessAway(async (client) => {
            const [until, beats] = await Promise.all([
                client.get(this.#key('enqueued')),
                client.hgetall(this.#key('beats')),
            ]);
            const others = Object.entries(beats).filter(([id]) => id !== this.#owner.id);
            const isFresh = ([, text]: [string, string]) =>
                now - (JSON.parse(text) as { at: number }).at < SILENT;
            const second = Math.max(
                until === null ? Number.NEGATIVE_INFINITY : Number(until),
                this.#enqueuedUntil ?? Number.NEGATIVE_INFINITY,
            );
            this.#seenUntil = second;
            return { second, byOthers: others.some(isFresh) };
        });
    }

    async enqueue(
        due: readonly DueSchedule[],
        second: number,
    ): Promise<ReadonlyMap<string, number> | undefined> {
        const moved = new Map<string, number>();
        const anew = due.some(({ decidesAnew }) => decidesAnew) ? await this.#waitingRows() : [];
        for (let from = 0; from < due.length; from += MOST_IN_STEP) {
            const step = due.slice(from, from + MOST_IN_STEP).map((one) => this.#dueOf(one, anew));
            // Whoever ends a gap does so for all; another process may have done it since this one looked.
            const endsGap = from === 0 && due.some(({ decidesAnew }) => decidesAnew);
            const seen = endsGap ? Math.max(0, this.#seenUntil) : '';
            const done = await this.#step('botEnqueue', JSON.stringify(step), this.#now(), seen, second);
            if (!done || done.isLate) return undefined;
            for (const [key, known] of done.moved) moved.set(key, known);
        }
        if (due.length > 0 && this.#opened?.connection.isAway) return undefined;
        this.#enqueuedUntil = second;
        return moved;
    }

    async request({ run, plan, isAwaited, runAt }: Request): Promise<Run> {
        const { overlap, missed, retries } = plan.settings;
        const now = this.#now();
        const origin = isAwaited ? 'waiter' : 'later';
        const parts: RowParts = {
            kind: 'run',
            origin,
            overlap,
            missed,
            catchesUp: false,
            runAt: runAt ?? now,
            retries,
        };
        const row = rowOf(run, parts, undefined, this.#owner);
        const over = new Promise<Run>((resolve) => {
            if (isAwaited) this.#waiters.set(row.id, { row, run, resolve });
        });
        this.#keepBeating();
        if (!(await this.#step('botEnter', now, JSON.stringify(row)))) {
            this.#waiters.delete(row.id);
            throw new Error('what remembers its runs cannot be reached');
        }
        return isAwaited ? over : run;
    }

    async abort({ id }: Pick<Run, 'id' | 'job'>, reason: string): Promise<void> {
        await this.#step('botAbort', id, reason);
        this.#running.get(id)?.controller.abort(reason);
    }

    abandon(reason: GiveUpReason): void {
        for (const { run } of this.#running.values()) {
            Object.assign(run, { outcome: 'aborted', reason, endedAt: this.#now() });
            this.#opened?.host.emit({ type: 'run-ended', run });
        }
        this.#running.clear();
    }

    // What is handled stays so: the clocks of other machines may be right.
    async rewind(): Promise<void> {}

    async pausedJobs(): Promise<readonly string[]> {
        return (await this.#connection.use((client) => client.hkeys(this.#key('pauses')))).sort();
    }

    async pause(job: string): Promise<void> {
        await this.#connection.use((client) => client.hset(this.#key('pauses'), job, this.#now()));
    }

    async resume(job: string): Promise<void> {
        const second = Math.floor(this.#now() / 1000);
        await this.#connection.use(async (client) => {
            const handled = await client.hgetall(this.#key('handled'));
            const paused = job === ALL_JOBS ? await client.hkeys(this.#key('pauses')) : [job];
            for (const [key, until] of Object.entries(handled)) {
                const [of] = JSON.parse(key) as [string];
                if ((paused.includes(of) || paused.includes(ALL_JOBS)) && Number(until) < second)
                    await client.hset(this.#key('handled'), key, second);
            }
            if (job === ALL_JOBS) await client.del(this.#key('pauses'));
            else await client.hdel(this.#key('pauses'), job);
        });
    }

    async #open(host: EngineHost): Promise<void> {
        let since = 0;
        const { connection, packages, connect } = await this.#connectionFor(host, {
            away: (detail) => {
                since = Date.now();
                host.emit({ type: 'redis-away', place: this.#settings.place, detail });
            },
            back: () => {
                host.emit({ type: 'redis-back', place: this.#settings.place, after: Date.now() - since });
                host.recovered();
            },
        });
        this.#opened = { host, connection, packages, connect, release: connection.hold() };
        await this.#beat();
    }

    async #connectionFor(host: HistoryHost, listener: ConstructorParameters<typeof Connection>[3]) {
        const packages = await loadPackages();
        const connect = connectWith(packages);
        const prefix = await readPrefix(this.config.redisPrefix, host.environment);
        return { connection: new Connection(this.#settings, prefix, connect, listener), packages, connect };
    }

    #createWorker({ host, connection, packages, connect }: Opened): QueueWorker {
        return new QueueWorker({
            packages,
            connect,
            settings: this.#settings,
            prefix: connection.prefix,
            concurrency: host.concurrency,
            locks: this.locks,
            process: (job, token) => this.#process(job, token),
            delayAfter: (error) => (error instanceof NextAttempt ? error.delay : -1),
            ended: (job) => this.#follow(this.#leave(job)),
            lost: (id) => this.#noteLost(id),
            failed: (error) => this.#tell(error),
        });
    }

    #dueOf(
        { schedule, plan, from, until, run, catchesUp, skipped, leftOut, decidesAnew }: DueSchedule,
        waiting: readonly RedisRow[],
    ) {
        const { overlap, missed, retries } = plan.settings;
        const kind = mayHaveTenants(plan.settings) ? 'slot' : 'run';
        const { job, text, args, key } = schedule;
        const of = { job, schedule: text, args, tenant: undefined };
        const past = pastOf(of, this.#owner);
        const lane = laneKey(kind, of);
        const mine = waiting.filter((row) => row.job === job && row.schedule === text);
        return {
            key,
            job,
            from,
            untilSecond: until,
            leftOut,
            decidesAnew,
            rows: run.map((slot) => {
                const one = createRun({ ...of, file: plan.file, scheduledAt: slot, manual: false });
                const parts: RowParts = {
                    kind,
                    origin: 'schedule',
                    overlap,
                    missed,
                    catchesUp,
                    runAt: slot * 1000,
                    retries,
                };
                return JSON.stringify(rowOf(one, parts, schedule.previous(slot), this.#owner));
            }),
            // What is dropped is recorded in its own lane.
            skipped: skipped
                .filter(
                    ({ first, last }) => first !== last || !mine.some(({ id }) => id === `${first}-${lane}`),
                )
                .map((slots) => ({
                    ...slots,
                    lane,
                    job,
                    past,
                    prev: schedule.previous(slots.first) ?? 0,
                })),
            drops: skipped.flatMap(({ first, last, reason }) =>
                mine
                    .filter(({ slot }) => slot !== null && slot >= first && slot <= last)
                    .map(({ id }) => [id, reason] as const),
            ),
        };
    }

    async #waitingRows(): Promise<RedisRow[]> {
        const found = await this.#unlessAway((client) =>
            Promise.all([client.hgetall(this.#key('rows')), client.hkeys(this.#key('started'))]),
        );
        const [rows = {}, started = []] = found ?? [];
        const isStarted = new Set(started);
        return Object.entries(rows)
            .filter(([id]) => !isStarted.has(id))
            .map(([, text]) => JSON.parse(text) as RedisRow)
            .filter(({ origin, runAt }) => origin === 'schedule' && runAt <= this.#now());
    }

    /** Does a step in Redis, and what comes of it; undefined: Redis is away. */
    async #step(
        name: Parameters<Connection['script']>[0],
        ...args: (string | number)[]
    ): Promise<Step | undefined> {
        const connection = this.#opened?.connection;
        if (!connection) return undefined;
        try {
            const step = readStep(await connection.script(name, ...args));
            await this.#heed(step);
            return step;
        } catch (error) {
            if (error instanceof RedisAwayError) return undefined;
            throw error;
        }
    }

    async #heed({ heads, ended, aborts, ready }: Step): Promise<void> {
        for (const [id, reason] of aborts) this.#running.get(id)?.controller.abort(reason);
        for (const [text, reason, behind, started] of ended)
            this.#tellSkipped(JSON.parse(text), reason, behind, started);
        await this.#start([...heads, ...ready].map((text) => JSON.parse(text) as RedisRow));
    }

    /** Has rows executed that are at the head of their lane. */
    async #start(rows: readonly RedisRow[]): Promise<void> {
        const queued = rows.filter(({ origin }) => origin !== 'waiter');
        for (const row of rows)
            if (row.origin === 'waiter' && row.process === this.#owner.id) void this.#perform(row);
        if (queued.length === 0) return;
        const jobs = queued.map((row) => ({
            name: row.job,
            data: row,
            opts: {
                jobId: row.id,
                attempts: 1 + row.retries,
                backoff: { type: 'custom' },
                ...(row.catchesUp && { priority: AFTER_FRESH }),
                removeOnComplete: { age: KEPT },
                removeOnFail: { age: KEPT },
            },
        }));
        // What Redis does not take now is found when it is looked for.
        await this.#connection.use((client) => this.#queueOn(client).addBulk(jobs)).catch(ignoreAway);
    }

    #queueOn(client: Redis): Queue {
        if (this.#queue?.client !== client) {
            const { packages, connection } = this.#opened as Opened;
            const bullmq = new packages.bullmq.Queue(QUEUE, {
                connection: client,
                prefix: connection.prefix,
                streams: { events: { maxLen: 1_000 } },
            });
            // The connection tells of it.
            bullmq.on('error', () => {});
            this.#queue = { client, bullmq };
        }
        return this.#queue.bullmq;
    }

    async #process(job: Job, token: string | undefined): Promise<string> {
        const { packages, host } = this.#opened as Opened;
        const row = job.data as RedisRow;
        const again = async (milliseconds: number): Promise<never> => {
            await job.moveToDelayed(Date.now() + milliseconds, token);
            throw new packages.bullmq.DelayedError();
        };
        const plan = host.planOf(row.job);
        if (!plan) {
            if (this.#now() < row.runAt + PATIENCE_WITH_RELEASES) return again(COME_AGAIN / 2);
            await this.#step('botLeave', row.id, '', 'unknown job');
            return 'skipped: unknown job';
        }
        const run = runOf(row, plan.file);
        run.attempt = job.attemptsMade + job.stalledCounter + 1;
        const retries = row.kind === 'slot' ? Number.POSITIVE_INFINITY : plan.settings.retries;
        if (run.attempt > retries + 1) return this.#lose(job, run);
        const before = await this.#startedOf(row.id);
        run.startedAt = before?.startedAt ?? this.#now();
        const answer = await this.#untilBack(() =>
            this.#connection.script('botStart', row.id, this.#startedText(run)),
        );
        if (answer === undefined || !this.#isWorking) {
            await job.moveToWait(token);
            throw new packages.bullmq.WaitingError();
        }
        if (answer === 'gone') return 'decided elsewhere';
        if (answer === 'blocked' || answer === 'waits') return again(COME_AGAIN);
        if (answer !== 'starts') {
            await this.#heed(readStep(answer));
            return 'skipped: paused';
        }
        return this.#execute(job, row, run);
    }

    async #execute(job: Job, row: RedisRow, run: Run): Promise<string> {
        const { packages } = this.#opened as Opened;
        const result = await this.#attempt(row, run);
        if (result.kind === 'fans out') {
            await this.#fanOut(row, result.tenants ?? [undefined]);
            return '';
        }
        if (result.kind === 'retries') {
            const replaced = {
                ...run,
                outcome: 'aborted',
                reason: 'replaced',
                error: result.error,
                endedAt: 0,
            } as Run;
            const past = JSON.stringify(pastRunOf(replaced, this.#owner)).replace(
                '"endedAt":0',
                '"endedAt":@now',
            );
            const started = JSON.stringify({
                past: pastRunOf(run, this.#owner),
                waits: true,
                replaced: past,
            });
            await this.#connection
                .use((client) => client.hset(this.#key('started'), row.id, started))
                .catch(ignoreAway);
            const delay = Math.max(0, result.at - this.#now());
            this.#opened?.host.emit({ type: 'run-retrying', run, error: result.error, delay });
            // As many attempts as this release's settings say.
            job.opts.attempts = job.attemptsMade + 2;
            throw Object.assign(new NextAttempt(delay), { message: result.error.message });
        }
        this.#end(run, result);
        this.#results.set(row.id, run);
        if (result.outcome === 'skipped') {
            await this.#step('botLeave', row.id, '', result.reason ?? 'skipped');
            return `skipped: ${result.reason}`;
        }
        const past = JSON.stringify(pastRunOf(run, this.#owner));
        if (result.outcome === 'succeeded') return past;
        await job.updateData({ ...row, ended: past });
        const error = new packages.bullmq.UnrecoverableError(
            result.error?.message ?? `${run.outcome}: ${run.reason}`,
        );
        throw Object.assign(error, { stack: result.error?.stack ?? error.message });
    }

    async #attempt(row: RedisRow, run: Run): Promise<Result> {
        const { host } = this.#opened as Opened;
        const controller = new AbortController();
        this.#running.set(row.id, { row, run, controller });
        this.#keepBeating();
        try {
            return await host.perform({ kind: row.kind, run, signal: controller.signal, dueAt: row.runAt });
        } finally {
            this.#running.delete(row.id);
        }
    }

    async #lose(job: Job, run: Run): Promise<never> {
        const { packages } = this.#opened as Opened;
        const before = await this.#startedOf(run.id);
        run.attempt -= 1;
        run.startedAt = before?.startedAt ?? this.#now();
        Object.assign(run, { outcome: 'lost', reason: 'its process died', endedAt: this.#now() });
        await job.updateData({
            ...(job.data as RedisRow),
            ended: JSON.stringify(pastRunOf(run, this.#owner)),
        });
        throw new packages.bullmq.UnrecoverableError('its process died');
    }

    // A run that somebody here waits for: it is in no queue.
    async #perform(row: RedisRow): Promise<void> {
        const waiter = this.#waiters.get(row.id);
        if (!waiter || this.#running.has(row.id)) return;
        const { run } = waiter;
        for (let isOver = false; !isOver; ) {
            run.attempt += 1;
            run.startedAt ??= this.#now();
            this.#running.set(row.id, { row, run, controller: new AbortController() });
            const answer = await this.#untilBack(() =>
                this.#connection.script('botStart', row.id, this.#startedText(run)),
            );
            if (answer !== 'starts') {
                this.#running.delete(row.id);
                return;
            }
            const result = await this.#attempt(row, run);
            if (result.kind === 'retries') {
                const wait = Math.max(0, result.at - this.#now());
                this.#opened?.host.emit({ type: 'run-retrying', run, error: result.error, delay: wait });
                const reason = await this.#waitForRetry(row, run, wait);
                if (reason === undefined) continue;
                this.#end(run, { kind: 'ended', outcome: 'aborted', reason, error: result.error });
            } else if (result.kind === 'ended') this.#end(run, result);
            isOver = true;
        }
        this.#waiters.delete(row.id);
        await this.#step('botLeave', row.id, JSON.stringify(pastRunOf(run, this.#owner)), '');
        this.#opened?.host.emit({ type: 'run-ended', run });
        waiter.resolve(run);
        if (!this.#isWorking && this.#waiters.size === 0) this.#cancelBeat?.();
    }

    #waitForRetry(row: RedisRow, run: Run, milliseconds: number): Promise<string | undefined> {
        const controller = new AbortController();
        this.#running.set(row.id, { row, run, controller });
        return new Promise((resolve) => {
            const cancel = this.#opened?.host.clock.after(milliseconds, () => resolve(undefined));
            controller.signal.addEventListener('abort', () => {
                cancel?.();
                resolve(String(controller.signal.reason));
            });
        });
    }

    async #fanOut(row: RedisRow, tenants: readonly (TenantId | undefined)[]): Promise<void> {
        const { origin, overlap, missed, catchesUp, runAt, retries } = row;
        const parts: RowParts = { kind: 'run', origin, overlap, missed, catchesUp, runAt, retries };
        for (let from = 0; from < tenants.length; from += MOST_IN_STEP) {
            const rows = tenants.slice(from, from + MOST_IN_STEP).map((tenant) => {
                const run = { ...runOf(row, undefined), tenant };
                const one = rowOf(run, parts, row.prev ?? undefined, this.#owner);
                return JSON.stringify(one);
            });
            await this.#untilBack(async () => {
                if (!(await this.#step('botEnter', this.#now(), ...rows)))
                    throw new RedisAwayError('Redis is away');
            });
        }
    }

    #end(run: Run, { outcome, reason, error }: Extract<Result, { kind: 'ended' }>): void {
        Object.assign(run, { outcome, reason, error, endedAt: this.#now() });
        if (outcome === 'skipped') run.startedAt = undefined;
        this.#skipsBehind.delete(run.id);
    }

    /** What is to be done before it closes. */
    #follow(leaving: Promise<void>): void {
        const followed = leaving
            .catch((error) => this.#tell(error))
            .finally(() => this.#leaving.delete(followed));
        this.#leaving.add(followed);
    }

    /** BullMQ has the outcome: now the lane is left, and history written. */
    async #leave(job: Job): Promise<void> {
        const row = job.data as RedisRow & { readonly ended?: string };
        this.#results.delete(row.id);
        const past =
            row.ended ??
            (typeof job.returnvalue === 'string' && job.returnvalue.startsWith('{') ? job.returnvalue : '');
        const isListed = row.kind === 'run' || row.ended !== undefined;
        await this.#untilBack(async () => {
            const step = await this.#step('botLeave', row.id, isListed ? past : '', '');
            if (!step) throw new RedisAwayError('Redis is away');
        });
        if (past === '' || !isListed) return;
        const { error, stack, ...run } = JSON.parse(past) as ReturnType<typeof pastRunOf>;
        const file = this.#opened?.host.planOf(row.job)?.file;
        const message = error?.slice(error.indexOf(': ') + 2) ?? '';
        const name = error?.slice(0, error.indexOf(': ')) ?? '';
        this.#opened?.host.emit({
            type: 'run-ended',
            run: {
                ...run,
                file,
                outcome: run.outcome,
                error: error && { name, message, stack: stack ?? error },
            } as Run,
        });
    }

    #noteLost(id: string): void {
        const run = this.#results.get(id);
        this.#results.delete(id);
        if (run) this.#opened?.host.emit({ type: 'run-was-lost', run });
    }

    #tellSkipped(row: RedisRow, reason: string, behind = '', started = ''): void {
        const host = this.#opened?.host;
        const run = runOf(row, host?.planOf(row.job)?.file);
        const outcome = reason === 'replaced' ? 'aborted' : 'skipped';
        Object.assign(run, { outcome, reason, endedAt: this.#now() });
        host?.emit({ type: 'run-ended', run });
        this.#waiters.get(row.id)?.resolve(run);
        this.#waiters.delete(row.id);
        if (behind === '' || started === '') return;
        const skips = (this.#skipsBehind.get(behind) ?? 0) + 1;
        this.#skipsBehind.set(behind, skips);
        const { past } = JSON.parse(started) as { past: { startedAt: number } };
        if (!run.manual && TOLD_SKIPS.includes(skips))
            host?.emit({ type: 'lane-blocked', run, skips, age: this.#now() - past.startedAt });
    }

    #keepBeating(): void {
        const isNeeded = this.#isWorking || this.#waiters.size > 0 || this.#running.size > 0;
        if (!isNeeded || !this.#opened) return;
        this.#cancelBeat ??= this.#opened.host.clock.after(BEAT, () => {
            this.#cancelBeat = undefined;
            this.#keepBeating();
            void this.#beat();
        });
    }

    async #beat(): Promise<void> {
        const { host, pid, place } = { ...this.#owner };
        const beat = JSON.stringify({ at: this.#now(), host, pid, place });
        const mine = [...this.#running.keys(), ...this.#waiters.keys()];
        const step = await this.#step(
            'botBeat',
            this.#owner.id,
            beat,
            this.#now(),
            this.#enqueuedUntil ?? '',
            JSON.stringify([...new Set(mine)]),
        );
        if (step && (step.rows ?? 0) > 0 && this.#beats++ % LOOK_EVERY === 0) await this.#lookAround();
    }

    // A kill between two steps leaves a head that is not in the queue, or one that has ended and not left its lane.
    async #lookAround(): Promise<void> {
        const connection = this.#opened?.connection;
        if (!connection) return;
        try {
            const { heads, ended, drops } = readStep(await connection.script('botLook'));
            await this.#start(heads.map((text) => JSON.parse(text) as RedisRow));
            for (const [text, returned, data = '{}'] of ended) {
                const row = JSON.parse(text) as RedisRow;
                const { ended: past } = JSON.parse(data || '{}') as { ended?: string };
                const result = returned ? (JSON.parse(returned) as string) : '';
                await this.#step('botLeave', row.id, past ?? (result.startsWith('{') ? result : ''), '');
            }
            for (const text of drops)
                await this.#step('botLeave', (JSON.parse(text) as RedisRow).id, '', 'its process died');
        } catch (error) {
            ignoreAway(error);
        }
    }

    async #startedOf(id: string): Promise<{ startedAt: number } | undefined> {
        const text = await this.#untilBack(() =>
            this.#connection.use((client) => client.hget(this.#key('started'), id)),
        );
        return text ? (JSON.parse(text) as { past: { startedAt: number } }).past : undefined;
    }

    #startedText(run: Run): string {
        return JSON.stringify({ past: pastRunOf(run, this.#owner) });
    }

    /** Tries until Redis is back; undefined: nothing more is to be started here. */
    async #untilBack<T>(work: () => Promise<T>): Promise<T | undefined> {
        for (;;) {
            try {
                return await work();
            } catch (error) {
                ignoreAway(error);
                if (!this.#opened || (!this.#isWorking && this.#running.size === 0)) return undefined;
                await delay(COME_AGAIN);
            }
        }
    }

    async #unlessAway<T>(work: (client: Redis) => Promise<T>): Promise<T | undefined> {
        try {
            return await this.#connection.use(work);
        } catch (error) {
            ignoreAway(error);
            return undefined;
        }
    }

    // Of the connection the connection tells.
    #tell(error: Error): void {
        const opened = this.#opened;
        const isOfConnection = 'code' in error || 'syscall' in error || error instanceof RedisAwayError;
        if (!opened || opened.connection.isAway || isOfConnection || /connection|socket/i.test(error.message))
            return;
        opened.host.emit({ type: 'engine-failed', error: readError(toError(error)) });
    }

    get #connection(): Connection {
        if (!this.#opened) throw new Error('the engine is not open');
        return this.#opened.connection;
    }

    #key(name: string): string {
        return this.#connection.key(name);
    }

    #now(): number {
        return this.#opened?.host.clock.now() ?? Date.now();
    }
}

function ignoreAway(error: unknown): undefined {
    if (error instanceof RedisAwayError) return undefined;
    throw error;
}
