import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/config.js';
import type { RedisSettings } from '../../config/redis_settings.js';
import type {
    DueSchedule,
    Engine,
    EngineHost,
    HistoryHost,
    LastEnqueued,
    Request,
    WaitingSlots,
} from '../../runs/engine.js';
import type { GiveUpReason } from '../../runs/events.js';
import type { History } from '../../runs/history.js';
import { ALL_JOBS, type Pause, pauseOf } from '../../runs/pause.js';
import type { Run } from '../../runs/run.js';
import type { Schedule } from '../../schedule/schedule.js';
import { createOwner, readRelease } from '../owner.js';
import { entryOf, laneKey } from '../row.js';
import { Attempts } from './attempts.js';
import { Beats, pausesIn } from './beats.js';
import { Connection, prefixIn, RedisAwayError } from './connection.js';
import { basisOf, type Skips } from './lanes.js';
import { LocalProcess } from './local_process.js';
import { RedisLookups } from './lookups.js';
import { QUEUE, type RedisRow, readRows, rowOf } from './rows.js';
import { type Intent, ifStill, Steps } from './steps.js';
import { type Locks, QueueWorker } from './worker.js';

/** A death is found within 22 s; a job may block its process for 7 s. */
const LOCKS: Locks = { lock: 15_000, check: 7_000 };

/** So many skipped slots are looked at one by one, whether any of them has run. */
const MOST_LOOKED_AT = 1_000;

/** So long it takes a process of the first edition to beat once more, in milliseconds. */
const FIRST_EDITION_BEAT = 1_500;

/** What is there while the engine is open. */
interface Opened {
    readonly process: LocalProcess;
    readonly steps: Steps;
    readonly attempts: Attempts;
    readonly beats: Beats;
}

/** The engine on Redis: ids, attempts, backoff, stalled jobs and workers are BullMQ's; lanes and history are ours. */
export class BullmqEngine implements Engine {
    readonly #owner = createOwner();
    readonly #settings: RedisSettings;
    #opened: Opened | undefined;
    #opening: Promise<void> | undefined;
    #worker: QueueWorker | undefined;
    /** Resolves when the worker of before has let go. */
    #closing: Promise<void> | undefined;
    /** Lets go of the connection; a process that neither works nor waits for a run keeps none, so that it comes to its end. */
    #release: (() => void) | undefined;
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
        const prefix = this.#opened ? `, ${this.#opened.process.connection.prefix}` : '';
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
        if (!this.#opened) return;
        const { process, attempts, beats } = this.#opened;
        process.isWorking = true;
        this.#keep(this.#opened);
        void beats.beat();
        if (this.config.role !== 'scheduler')
            this.#worker ??= new QueueWorker(process, attempts, this.locks, beats.answersSince);
    }

    rest(): void {
        if (this.#opened) this.#opened.process.isWorking = false;
        if (!this.#worker) return;
        this.#closing = this.#worker.close();
        this.#worker = undefined;
    }

    async close(): Promise<void> {
        this.rest();
        const closing = this.#closing;
        const opened = this.#opened;
        if (!opened) return;
        const { process, attempts, steps } = opened;
        // A run that has just ended is recorded first; one that goes on keeps the engine open until then.
        await nextTurn();
        if (process.running.size > 0) return void process.rested().then(() => this.close());
        await closing;
        await attempts.end();
        if (this.#opened !== opened || process.running.size > 0 || process.isWorking) return;
        this.#opened = undefined;
        this.#opening = undefined;
        await steps.close();
        await this.#letGo(opened);
    }

    async history(host: HistoryHost): Promise<History> {
        if (this.#opened) return new RedisLookups(this.#opened.process.connection);
        const connection = await Connection.to(this.#settings, this.#prefixFor(host));
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
        return this.#unlessAway(async ({ process: { connection } }) => {
            const keys = schedules.map(({ key }) => key);
            const known = await connection.use(async (client, key) => {
                await Promise.all(keys.map((one) => client.hsetnx(key('handled'), one, now)));
                return client.hmget(key('handled'), ...keys);
            });
            return new Map(keys.map((key, index) => [key, Number(known[index] ?? now)]));
        });
    }

    async waiting(): Promise<WaitingSlots> {
        const rows = (await this.#unlessAway((opened) => this.#waitingRows(opened))) ?? [];
        return {
            of: (schedule) => {
                const mine = rows.filter((row) => isOf(schedule, row));
                return [...new Set(mine.map(slotOf))].sort((a, b) => a - b);
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
            const { process, steps } = opened;
            if (due.length === 0) return process.connection.isAway ? undefined : new Map<string, number>();
            process.busy();
            const endsGap = due.some(({ decidesAnew }) => decidesAnew);
            if (endsGap && !(await this.#endGap(opened, second))) return undefined;
            const waiting = endsGap ? await this.#waitingRows(opened) : [];
            const intents = await Promise.all(due.map((one) => this.#intentOf(one, waiting, opened)));
            const known = [...(await steps.take(intents))];
            return new Map(known.map(([key, until]) => [key, Number(until)]));
        });
        if (moved && this.#opened) this.#opened.process.enqueuedUntil = second;
        return moved;
    }

    async request(request: Request): Promise<Run> {
        const { kind = 'run', run, plan, isAwaited, runAt, heedsPauses = false, key } = request;
        const opened = this.#openedNow;
        const { process, steps, beats, attempts } = opened;
        const { overlap, missed } = plan.settings;
        const entry = { kind, run, runAt: runAt ?? process.host.clock.now() };
        const origin = isAwaited ? 'waiter' : 'later';
        const parts = { origin, overlap, missed, catchesUp: false, heedsPauses, key: key?.name } as const;
        const row = rowOf(entry, parts, process.owner);
        process.busy();
        if (!isAwaited) return { ...run, id: await steps.request(row, key?.whenQueued ?? 'keep') };
        this.#keep(opened);
        const over = new Promise<Run>((resolve) => {
            const begin = () => {
                if (!process.running.has(row.id))
                    attempts.performAwaited(row, run).catch((error) => process.tell(error));
            };
            // Others take it for left behind where this process shows no life.
            const entered = beats.beat().then(() => steps.enter([row]));
            process.waiters.set(row.id, { row, run, entered, begin, resolve });
        });
        try {
            await process.waiters.get(row.id)?.entered;
            return await over;
        } finally {
            process.waiters.delete(row.id);
            if (process.waiters.size === 0 && !process.isWorking) void this.#letGo(opened);
        }
    }

    async abort(id: string, reason: string): Promise<boolean> {
        const { process, steps } = this.#openedNow;
        await process.waiters.get(id)?.entered.catch(() => {});
        const [row] = await readRows(process.connection, [id]);
        if (!row) return false;
        await steps.take([{ basis: basisOf([], [row]), decide: (plan) => plan.stop(row, reason) }]);
        return true;
    }

    abandon(reason: GiveUpReason): void {
        this.#opened?.attempts.abandon(reason);
    }

    // What is handled stays so: the clocks of other machines may be right.
    async rewind(): Promise<void> {}

    async pauses(): Promise<readonly Pause[]> {
        return pausesIn(await this.#openedNow.beats.live());
    }

    async pause(pause: Pause): Promise<void> {
        const { process, beats } = this.#openedNow;
        const [field, text] = [`pause ${pause.job}`, JSON.stringify(pause)];
        await process.connection.use((client, key) => client.hset(key('live'), field, text));
        // A beat that is on its way has read what was before.
        await beats.beat();
        process.pauses = [...process.pauses.filter(({ job }) => job !== pause.job), pause];
    }

    async resume(job: string): Promise<void> {
        const { process, steps } = this.#openedNow;
        const { connection, host } = process;
        const now = host.clock.now();
        const second = Math.floor(now / 1000);
        const ending = (await this.pauses()).filter(
            ({ job: of, until = Infinity }) => until > now && (job === ALL_JOBS || of === job),
        );
        if (ending.length === 0) return;
        const handled = await connection.use((client, key) => client.hgetall(key('handled')));
        const behind = Object.entries(handled).filter(([schedule, until]) => {
            const [of] = JSON.parse(schedule) as [string];
            return pauseOf(ending, of, now) !== undefined && Number(until) < second;
        });
        await steps.take(
            behind.map(([key, until]) =>
                ifStill(['handled', key, until], ['HSET', 'handled', key, `${second}`]),
            ),
        );
        const fields = ending.map(({ job: of }) => `pause ${of}`);
        await connection.use((client, key) => client.hdel(key('live'), ...fields));
    }

    async #open(host: EngineHost): Promise<void> {
        await readRelease(this.#owner);
        const connection = await Connection.to(this.#settings, this.#prefixFor(host), host);
        const process = new LocalProcess(host, connection, this.#owner);
        const steps = new Steps(process);
        const attempts = new Attempts(process, steps);
        const beats = new Beats(process, steps, attempts, this.locks.lock, () => {
            void this.#worker?.lockAgain();
        });
        await refuseFirstEdition(connection).catch(ignoreAway);
        this.#opened = { process, steps, attempts, beats };
        await beats.beat();
    }

    #prefixFor({ environment }: HistoryHost): string | Promise<string> {
        return this.config.redisPrefix ?? prefixIn(environment);
    }

    #keep({ process, beats }: Opened): void {
        this.#release ??= process.connection.hold();
        beats.start();
    }

    async #letGo({ beats }: Opened): Promise<void> {
        const release = this.#release;
        this.#release = undefined;
        await beats.leave().catch(ignoreAway);
        release?.();
    }

    /** Whether this process ends the gap; false: another has, since this one looked. */
    async #endGap({ process: { connection }, steps }: Opened, second: number): Promise<boolean> {
        const known = (await connection.use((client, key) => client.hget(key('live'), 'enqueued'))) ?? '';
        if (Number(known) > Math.max(0, this.#seenUntil)) return false;
        const until = `${Math.max(second, Number(known))}`;
        const moving = ifStill(['live', 'enqueued', known], ['HSET', 'live', 'enqueued', until]);
        return (await steps.take([moving])).size === 0;
    }

    /** What a schedule comes to, ready for a step. */
    async #intentOf(due: DueSchedule, waiting: readonly RedisRow[], opened: Opened): Promise<Intent> {
        const { schedule, plan, from, until, catchesUp, leftOut, decidesAnew } = due;
        const { overlap, missed } = plan.settings;
        const { job, key } = schedule;
        const parts = { origin: 'schedule', overlap, missed, catchesUp, heedsPauses: true } as const;
        const rowAt = (slot: number) => rowOf(entryOf(due, slot), parts, this.#owner);
        const rows = (decidesAnew ? due.run : due.run.filter((slot) => slot > from)).map(rowAt);
        const reasonOf = (row: RedisRow) =>
            due.skipped.find(({ first, last }) => slotOf(row) >= first && slotOf(row) <= last)?.reason;
        // These wait, and are among what is skipped.
        const dropped = waiting.filter((row) => isOf(schedule, row) && reasonOf(row) !== undefined);
        const skips = (
            await Promise.all(due.skipped.map((slots) => this.#withoutRuns(due, slots, dropped, opened)))
        ).flat();
        const like = skips.length > 0 ? [rowAt(until)] : [];
        return {
            basis: Object.assign(basisOf([...rows, ...like], dropped), {
                job,
                check: ['handled', key, String(from)] as const,
            }),
            decide: (lanes) => {
                lanes.do(['HSET', 'handled', key, String(Math.max(from, until))]);
                for (const row of like) for (const one of skips) lanes.skip(row, one);
                for (const row of dropped) lanes.stop(row, reasonOf(row) ?? 'superseded');
                for (const row of rows) {
                    const isPaused = pauseOf(lanes.pauses, job, slotOf(row) * 1000) !== undefined;
                    const reason = leftOut ?? (isPaused ? 'paused' : undefined);
                    if (reason === undefined) lanes.enter(row);
                    else lanes.skipRow(row, reason);
                }
            },
        };
    }

    // The crontab was changed, and changed back: some of the slots have run under the other.
    async #withoutRuns(
        { schedule, plan }: DueSchedule,
        { reason, first, last, atLeast, count }: DueSchedule['skipped'][number],
        dropped: readonly RedisRow[],
        { process: { connection } }: Opened,
    ): Promise<Skips[]> {
        const slots = [first];
        for (let slot = schedule.next(first); slot !== undefined && slot <= last; slot = schedule.next(slot))
            if (slots.push(slot) > MOST_LOOKED_AT) break;
        const of = { job: plan.name, args: schedule.args, tenant: undefined };
        const lanes = [laneKey('run', of), laneKey('slot', of)];
        const ran = await connection.use((client, key) =>
            Promise.all(
                slots.map((slot) => {
                    const ids = lanes.map((lane) => `${slot}-${lane}`);
                    if (dropped.some(({ id }) => ids.includes(id))) return 0;
                    return client.exists(...ids.map((id) => key(`${QUEUE}:${id}`)));
                }),
            ),
        );
        if (ran.every((one) => one === 0)) return [{ reason, first, last, count, atLeast }];
        return slots
            .filter((_, index) => ran[index] === 0)
            .map((slot) => ({ reason, first: slot, last: slot, count: 1, atLeast: false }));
    }

    /** The rows that schedules made, and that never started. */
    async #waitingRows({ process: { connection, host } }: Opened): Promise<RedisRow[]> {
        const texts = await connection.use((client, key) => client.hvals(key('rows')));
        const rows = texts
            .map((text) => JSON.parse(text) as RedisRow)
            .filter(({ origin, runAt }) => origin === 'schedule' && runAt <= host.clock.now());
        const begun = await connection.use((client, key) =>
            Promise.all(rows.map(({ id }) => client.hexists(key(`${QUEUE}:${id}`), 'processedOn'))),
        );
        return rows.filter((_, index) => begun[index] === 0);
    }

    async #unlessAway<T>(work: (opened: Opened) => Promise<T>): Promise<T | undefined> {
        try {
            return this.#opened && (await work(this.#opened));
        } catch (error) {
            return ignoreAway(error);
        }
    }

    get #openedNow(): Opened {
        if (!this.#opened) throw new Error('the engine is not open');
        return this.#opened;
    }
}

/** Whether a schedule made a row: another of its job may differ in its args alone. */
function isOf({ job, text, args }: Schedule, row: RedisRow): boolean {
    return row.job === job && row.schedule === text && isDeepStrictEqual(row.args, args);
}

/** The slot of a row that a schedule made. */
function slotOf({ scheduledAt = 0 }: RedisRow): number {
    return scheduledAt;
}

// The first edition has another form of everything in Redis: each of the two would run every slot.
async function refuseFirstEdition(connection: Connection): Promise<void> {
    const { prefix } = connection;
    const beats = async () => {
        const state = await connection.use((client, key) => client.hgetall(key('state')));
        return Object.entries(state).filter(([field]) => field.startsWith('beat '));
    };
    const before = new Map(await beats());
    if (before.size === 0) return;
    await delay(FIRST_EDITION_BEAT);
    if ((await beats()).every(([field, beat]) => before.get(field) === beat)) return;
    throw new Error(
        `Processes of pinstripe-bot 0.1 work on ${prefix} in Redis: stop them first, for they would run every slot once more.`,
    );
}

function ignoreAway(error: unknown): undefined {
    if (error instanceof RedisAwayError) return undefined;
    throw error;
}
