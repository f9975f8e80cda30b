import type { LastEnqueued } from '../../runs/engine.js';
import type { PastRun } from '../../runs/history.js';
import { type Pause, pauseOf } from '../../runs/pause.js';
import { holdsLane, PROCESS_DIED } from '../row.js';
import type { Attempts } from './attempts.js';
import type { LocalProcess } from './local_process.js';
import { memberOf, pastOfJob, QUEUE, type RedisRow, readRows, runOf, runOfPast } from './rows.js';
import { ifStill, MOST_IN_STEP, type Steps } from './steps.js';

/** How often a process looks, in milliseconds; each second time it shows that it is alive, and when idle it looks only then. */
const BEAT = 1_000;

/** Without an answer for longer than this, in milliseconds, Redis, or this process, has stood still. */
const PAUSE = 3_500;

/** A process that has shown no life for this long, in milliseconds, does not work. */
const SILENT = 10_000;

/** How often rows are looked for that fell between two steps, and how often where nothing goes on: each so many beats. */
const LOOK_EVERY = { busy: 5, idle: 20 };

/** How often what is too old is forgotten, in milliseconds. */
const FORGET_EVERY = 3_600_000;

/** How much a machine's clock may differ from that of Redis, in milliseconds. */
const TOLERANCE = 3_000;

/** Shows each other second that this process is alive, reads what others want of it, and finishes what they have left behind. */
export class Beats {
    #timer: NodeJS.Timeout | undefined;
    #beats = 0;
    #answeredAt: number | undefined;
    #answersFrom = 0;
    #beating: Promise<void> | undefined;
    #isClockTold = false;
    /** How far the clock of Redis is ahead of this machine's, in milliseconds. */
    #ahead = 0;
    readonly #startedAt = Date.now();

    /**
     * @param judgesAfter how long Redis has to have answered until others are judged by what they have shown, in milliseconds
     * @param resumed called when Redis answers again, after a pause
     */
    constructor(
        private readonly process: LocalProcess,
        private readonly steps: Steps,
        private readonly attempts: Attempts,
        private readonly judgesAfter: number,
        private readonly resumed: () => void,
    ) {}

    /** For how long Redis has answered without a pause, in milliseconds. */
    readonly answersSince = (): number => {
        if (this.#answeredAt === undefined || performance.now() - this.#answeredAt > PAUSE) return 0;
        return Math.max(1, performance.now() - this.#answersFrom);
    };

    /** Beats from now on. */
    start(): void {
        this.#timer ??= setInterval(() => {
            if (this.#beats % 2 === 0 || this.process.isBusy) void this.beat();
            else this.#beats++;
        }, BEAT);
    }

    /** Shows life, and reads what others want. It never rejects: the connection tells of what fails. */
    beat(): Promise<void> {
        this.#beating ??= this.#beat(this.#beats++)
            .catch(() => {})
            .finally(() => {
                this.#beating = undefined;
            });
        return this.#beating;
    }

    /** What the hash `live` holds. */
    live(): Promise<Live> {
        return this.process.connection.use((client, key) => client.hgetall(key('live')));
    }

    /** How far any process has enqueued. */
    async lastEnqueued(): Promise<LastEnqueued> {
        const { owner, enqueuedUntil } = this.process;
        const live = await this.live();
        const beats = beatsIn(live).filter(({ until }) => until !== undefined);
        return {
            second: Math.max(enqueuedUntilIn(live), enqueuedUntil ?? -Infinity),
            byOthers: beats.some(({ id, at }) => id !== owner.id && this.#time() - at < SILENT),
        };
    }

    /** This process is no more; how far it has enqueued is kept. */
    async leave(): Promise<void> {
        const { connection, owner } = this.process;
        clearInterval(this.#timer);
        this.#timer = undefined;
        await this.#beating;
        const { second } = await this.lastEnqueued();
        await connection.use(async (client, key) => {
            if (second > 0) await client.hset(key('live'), 'enqueued', second);
            await client.hdel(key('live'), `beat ${owner.id}`);
        });
    }

    async #beat(count: number): Promise<void> {
        const { connection, owner, enqueuedUntil, running, isBusy } = this.process;
        // Reads may be answered where nothing may be written.
        if (connection.isAway) await connection.script('botStep', '[]');
        const wasAway = this.answersSince() === 0;
        if (wasAway) await this.#compareClocks();
        const { pid, host, release } = owner;
        const beat = JSON.stringify({
            at: this.#time(),
            until: enqueuedUntil,
            pid,
            startedAt: this.#startedAt,
            host,
            release,
        });
        const live = await connection.use(async (client, key) => {
            const isShown = count % 2 === 0 || wasAway;
            if (isShown) void client.hset(key('live'), `beat ${owner.id}`, beat).catch(() => {});
            return client.hgetall(key('live'));
        });
        this.#answeredAt = performance.now();
        if (wasAway) this.#answersFrom = performance.now();
        if (wasAway) this.resumed();
        this.process.pauses = pausesIn(live);
        await this.#forgetPauses(live);
        for (const [id, reason] of withPrefix('abort ', live)) this.process.abort(id, reason);
        await this.attempts.note(running.values());
        for (const one of running.values()) await this.process.keepOutput(one);
        await this.#beginAwaited();
        if (live['later']) await this.#moveDue();
        const isLooking = count % (isBusy ? LOOK_EVERY.busy : LOOK_EVERY.idle) === 0;
        if (isLooking && this.answersSince() >= this.judgesAfter) await this.#lookAround(live);
    }

    // A pause that has ended by itself is kept until no slot of its time can come any more.
    async #forgetPauses(live: Live): Promise<void> {
        const { pauses, enqueuedUntil = 0 } = this.process;
        const over = pauses.filter(({ until = Infinity }) => until < enqueuedUntil * 1000);
        const fields = over.map(({ job }) => `pause ${job}`);
        await this.steps.take(
            fields.map((field) => ifStill(['live', field, live[field] ?? ''], ['HDEL', 'live', field])),
        );
    }

    // The clock of Redis is one for all; that this machine's differs is told once.
    async #compareClocks(): Promise<void> {
        const { connection, host } = this.process;
        const before = Date.now();
        const [seconds, microseconds] = await connection.use((client) => client.time());
        this.#ahead = Number(seconds) * 1000 + Number(microseconds) / 1000 - (before + Date.now()) / 2;
        const differs = Math.abs(this.#ahead) > TOLERANCE;
        if (differs && !this.#isClockTold) host.emit({ type: 'clock-differs', by: -Math.round(this.#ahead) });
        this.#isClockTold = differs;
    }

    // Another process may have brought a run to the head of its lane that somebody here waits for.
    async #beginAwaited(): Promise<void> {
        const { connection, running, waiters } = this.process;
        for (const { row, begin } of waiters.values()) {
            if (running.has(row.id)) continue;
            const head = await connection.use((client, key) => client.lindex(key(`lane:${row.lane}`), 0));
            if (head === memberOf(row)) begin();
        }
    }

    // Runs that wait for their time enter their lanes.
    async #moveDue(): Promise<void> {
        const { connection, host, pauses } = this.process;
        const now = host.clock.now();
        const ids = await connection.use(async (client, key) => {
            const due = await client.zrangebyscore(key('later'), 0, now, 'LIMIT', 0, MOST_IN_STEP);
            const isOver = due.length === 0 && (await client.zcard(key('later'))) === 0;
            if (isOver) await client.hdel(key('live'), 'later');
            return due;
        });
        const due = (await readRows(connection, ids)).filter((row) => row !== null);
        const waits = ({ job, origin }: RedisRow) =>
            origin !== 'schedule' && pauseOf(pauses, job, now) !== undefined;
        const later = due.filter(waits).flatMap(({ id }) => [now + BEAT, id]);
        if (later.length > 0) await connection.use((client, key) => client.zadd(key('later'), ...later));
        await this.steps.each(
            due.filter((row) => !waits(row)),
            (plan, row) => plan.move(row),
        );
    }

    // A kill between two steps leaves a head that is not in the queue, or one that has ended and not left its lane. One
    // process at a time looks for them.
    async #lookAround(live: Live): Promise<void> {
        const { connection } = this.process;
        if (!(await this.#isFirst('looks', BEAT * LOOK_EVERY.busy - 500))) return;
        const beats = beatsIn(live);
        const dead = beats.filter(({ at }) => this.#time() - at > 6 * SILENT);
        if (dead.length > 0) {
            const last = Math.max(...dead.map(({ until = 0 }) => until), Number(live['enqueued'] ?? 0));
            await connection.use(async (client, key) => {
                await client.hset(key('live'), 'enqueued', last);
                await client.hdel(key('live'), ...dead.map(({ id }) => `beat ${id}`));
            });
        }
        const alive = new Set(beats.flatMap(({ id, at }) => (this.#time() - at < SILENT ? [id] : [])));
        for (let cursor = ''; cursor !== '0'; ) {
            const [next, page] = await connection.use((client, key) =>
                client.hscan(key('rows'), cursor || '0', 'COUNT', MOST_IN_STEP),
            );
            const texts = page.filter((_, index) => index % 2 === 1);
            const rows = texts.map((text) => JSON.parse(text) as RedisRow);
            await this.#finish(rows, alive);
            cursor = next;
        }
        if (await this.#isFirst('forgets', FORGET_EVERY)) await this.#forget();
    }

    /** Whether no process has done something in this time, in milliseconds: this one does. */
    async #isFirst(name: string, span: number): Promise<boolean> {
        const { connection } = this.process;
        return (await connection.use((client, key) => client.set(key(name), 1, 'PX', span, 'NX'))) !== null;
    }

    async #finish(rows: readonly RedisRow[], alive: ReadonlySet<string>): Promise<void> {
        const fields = ['timestamp', 'finishedOn', 'returnvalue', 'data', 'pb'] as const;
        const found = await this.process.connection.use((client, key) =>
            Promise.all(
                rows.map(({ id, lane }) =>
                    Promise.all([
                        client.lindex(key(`lane:${lane}`), 0),
                        client.zscore(key('later'), id),
                        client.hmget(key(`${QUEUE}:${id}`), ...fields),
                    ]),
                ),
            ),
        );
        for (const [index, row] of rows.entries()) {
            const [head, later, job] = found[index] ?? [null, null, []];
            const [timestamp, finishedOn, returned = null, data = null, by = null] = job;
            const isHead = !holdsLane(row) || head === memberOf(row);
            if (row.origin === 'waiter' && !alive.has(row.process)) await this.#lose(row);
            if (row.origin === 'waiter' || later !== null || !isHead) continue;
            if (finishedOn) await this.#leave(row, pastOfJob(row, returned, data, by));
            else if (!timestamp) await this.steps.start([row.id]);
        }
    }

    // Somebody waited for it in a process that is no more.
    async #lose(row: RedisRow): Promise<void> {
        const { connection, host } = this.process;
        const noted = await connection.use((client, key) => client.hget(key('started'), row.id));
        const end = { reason: PROCESS_DIED, endedAt: host.clock.now() };
        const file = host.planOf(row.job)?.file;
        const past: PastRun | null = noted && { ...JSON.parse(noted.slice(1)), ...end, outcome: 'lost' };
        const run = past
            ? runOfPast(row, past, file)
            : Object.assign(runOf(row, file), { ...end, outcome: 'aborted' });
        const streak = await this.steps.leave(row, past ? JSON.stringify(past) : undefined, run.outcome);
        this.process.tellEnd(run, streak);
    }

    // Its process died between the run's end and this.
    async #leave(row: RedisRow, past: PastRun | undefined): Promise<void> {
        const run = past && runOfPast(row, past, this.process.host.planOf(row.job)?.file);
        const streak = await this.steps.leave(row, past && JSON.stringify(past), run?.outcome);
        if (run) this.process.tellStreak(run, streak);
    }

    async #forget(): Promise<void> {
        const { connection, host } = this.process;
        const { retention, maxRunsPerJob } = host.journal;
        const oldest = Math.max(0, this.#time() - retention);
        for (const stream of await connection.keysOf('past:')) {
            await connection.use((client) => client.xtrim(stream, 'MINID', oldest));
            await connection.use((client) => client.xtrim(stream, 'MAXLEN', maxRunsPerJob));
        }
    }

    /** What time it is by the clock of Redis, in unix milliseconds. */
    #time(): number {
        return Math.round(Date.now() + this.#ahead);
    }
}

/** What the hash `live` holds. */
export type Live = Readonly<Record<string, string>>;

/** The last second up to which any process has enqueued; -Infinity: none ever did. */
export function enqueuedUntilIn(live: Live): number {
    const until = beatsIn(live).map((beat) => beat.until ?? -Infinity);
    return Math.max(Number(live['enqueued'] ?? -Infinity), ...until);
}

/** The pauses, by job. */
export function pausesIn(live: Live): Pause[] {
    const texts = withPrefix('pause ', live).sort(([a], [b]) => (a < b ? -1 : 1));
    return texts.map(([, text]) => JSON.parse(text) as Pause);
}

/** A process's sign of life. */
export interface Beat {
    readonly id: string;
    /** Unix milliseconds, by the clock of Redis. */
    readonly at: number;
    /** Up to which unix second it has enqueued; undefined: it does not schedule. */
    readonly until?: number;
    readonly pid: number;
    /** Unix milliseconds, by the process's own clock. */
    readonly startedAt: number;
    readonly host: string;
    readonly release?: string;
}

/** The signs of life. */
export function beatsIn(live: Live): Beat[] {
    return withPrefix('beat ', live).map(([id, text]) => ({ id, ...JSON.parse(text) }));
}

/** The fields that begin with something, without it. */
function withPrefix(prefix: string, fields: Live): [string, string][] {
    return Object.entries(fields).flatMap(([field, value]): [string, string][] =>
        field.startsWith(prefix) ? [[field.slice(prefix.length), value]] : [],
    );
}
