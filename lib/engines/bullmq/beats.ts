import type { LastEnqueued } from '../../runs/engine.js';
import type { PastRun } from '../../runs/history.js';
import { type Pause, pauseOf } from '../../runs/pause.js';
import type { Outcome } from '../../runs/run.js';
import type { Attempts } from './attempts.js';
import { basisOf, HELD, type LanePlan } from './lanes.js';
import type { LocalProcess } from './local_process.js';
import { holdsLane, memberOf, PROCESS_DIED, pastOfJob, QUEUE, type RedisRow, runOf } from './rows.js';
import { MOST_IN_STEP, type Steps } from './steps.js';

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

    /** How far any process has enqueued. */
    async lastEnqueued(): Promise<LastEnqueued> {
        const { connection, owner, enqueuedUntil } = this.process;
        const live = await connection.use((client) => client.hgetall(connection.key('live')));
        const beats = beatsIn(live).filter(({ until }) => until !== undefined);
        return {
            second: Math.max(enqueuedUntilIn(live), enqueuedUntil ?? -Infinity),
            byOthers: beats.some(({ id, at }) => id !== owner.id && this.#time() - at < SILENT),
        };
    }

    /** This process is no more; how far it has enqueued is kept. */
    async leave(): Promise<void> {
        const { connection, owner } = this.process;
        const key = connection.key('live');
        clearInterval(this.#timer);
        this.#timer = undefined;
        await this.#beating;
        const { second } = await this.lastEnqueued();
        if (second > 0) await connection.use((client) => client.hset(key, 'enqueued', second));
        await connection.use((client) => client.hdel(key, `beat ${owner.id}`));
    }

    async #beat(count: number): Promise<void> {
        const { connection, owner, enqueuedUntil, running, isBusy } = this.process;
        const key = connection.key('live');
        // Reads may be answered where nothing may be written.
        if (connection.isAway) await connection.script('botStep', '[]');
        const wasAway = this.answersSince() === 0;
        if (wasAway) await this.#compareClocks();
        const who = [owner.pid, Math.round(this.#startedAt), owner.host].join(' ');
        const beat = `${Math.round(this.#time())} ${enqueuedUntil ?? ''} ${who}`;
        const live = await connection.use(async (client) => {
            if (count % 2 === 0 || wasAway) void client.hset(key, `beat ${owner.id}`, beat).catch(() => {});
            return client.hgetall(key);
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
    async #forgetPauses(live: Readonly<Record<string, string>>): Promise<void> {
        const { pauses, enqueuedUntil = 0 } = this.process;
        const over = pauses.filter(({ until = Infinity }) => until < enqueuedUntil * 1000);
        await this.steps.take(
            over.map(({ job }) => {
                const field = `pause ${job}`;
                const check = ['live', field, live[field] ?? ''] as const;
                const decide = (plan: LanePlan) => plan.do(['HDEL', 'live', field]);
                return { basis: { ...basisOf([]), check }, decide };
            }),
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
            const lane = connection.key(`lane:${row.lane}`);
            if (running.has(row.id)) continue;
            if ((await connection.use((client) => client.lindex(lane, 0))) === memberOf(row)) begin();
        }
    }

    // Runs that wait for their time enter their lanes.
    async #moveDue(): Promise<void> {
        const { connection, host, pauses } = this.process;
        const [key, now] = [connection.key('later'), host.clock.now()];
        const ids = await connection.use((client) =>
            client.zrangebyscore(key, 0, now, 'LIMIT', 0, MOST_IN_STEP),
        );
        if (ids.length === 0) {
            const left = await connection.use((client) => client.zcard(key));
            if (left === 0) await connection.use((client) => client.hdel(connection.key('live'), 'later'));
            return;
        }
        const texts = await connection.use((client) => client.hmget(connection.key('rows'), ...ids));
        const due = texts.flatMap((text) => (text ? [JSON.parse(text) as RedisRow] : []));
        const waits = ({ job, origin }: RedisRow) =>
            origin !== 'schedule' && pauseOf(pauses, job, now) !== undefined;
        const later = due.filter(waits).flatMap(({ id }) => [now + BEAT, id]);
        if (later.length > 0) await connection.use((client) => client.zadd(key, ...later));
        await this.steps.move(due.filter((row) => !waits(row)));
    }

    // A kill between two steps leaves a head that is not in the queue, or one that has ended and not left its lane. One
    // process at a time looks for them.
    async #lookAround(live: Readonly<Record<string, string>>): Promise<void> {
        const { connection } = this.process;
        const { key } = connection;
        const span = BEAT * LOOK_EVERY.busy - 500;
        if (!(await connection.use((client) => client.set(key('looks'), 1, 'PX', span, 'NX')))) return;
        const beats = beatsIn(live);
        const dead = beats.filter(({ at }) => this.#time() - at > 6 * SILENT);
        if (dead.length > 0) {
            const last = Math.max(...dead.map(({ until = 0 }) => until), Number(live['enqueued'] ?? 0));
            await connection.use((client) => client.hset(key('live'), 'enqueued', last));
            await connection.use((client) => client.hdel(key('live'), ...dead.map(({ id }) => `beat ${id}`)));
        }
        const alive = new Set(beats.flatMap(({ id, at }) => (this.#time() - at < SILENT ? [id] : [])));
        for (let cursor = ''; cursor !== '0'; ) {
            const [next, page] = await connection.use((client) =>
                client.hscan(key('rows'), cursor || '0', 'COUNT', MOST_IN_STEP),
            );
            const texts = page.filter((_, index) => index % 2 === 1);
            const rows = texts.map((text) => JSON.parse(text) as RedisRow);
            await this.#finish(rows, alive);
            cursor = next;
        }
        if (await connection.use((client) => client.set(key('forgets'), 1, 'PX', FORGET_EVERY, 'NX')))
            await this.#forget();
    }

    async #finish(rows: readonly RedisRow[], alive: ReadonlySet<string>): Promise<void> {
        const { connection } = this.process;
        const { key } = connection;
        const fields = ['timestamp', 'finishedOn', 'returnvalue', 'data', 'pb'] as const;
        const found = await connection.use((client) =>
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
            else if (!timestamp || data === HELD) await this.steps.start([row.id]);
        }
    }

    // Somebody waited for it in a process that is no more.
    async #lose(row: RedisRow): Promise<void> {
        const { connection, host } = this.process;
        const noted = await connection.use((client) => client.hget(connection.key('started'), row.id));
        const outcome = noted ? ('lost' as const) : ('aborted' as const);
        const end = { outcome, reason: PROCESS_DIED, endedAt: host.clock.now() };
        const past = noted && { ...(JSON.parse(noted.slice(1)) as PastRun), ...end };
        const run = Object.assign(runOf(row, host.planOf(row.job)?.file), end);
        if (past) Object.assign(run, { attempt: past.attempt, startedAt: past.startedAt });
        const streak = await this.steps.leave(row, past ? JSON.stringify(past) : undefined, outcome);
        this.process.tellEnd(run, streak);
    }

    // Its process died between the run's end and this.
    async #leave(row: RedisRow, text: string | undefined): Promise<void> {
        const past = text === undefined ? undefined : (JSON.parse(text) as PastRun & { outcome: Outcome });
        const streak = await this.steps.leave(row, text, past?.outcome);
        if (!past || !streak) return;
        const { outcome, attempt, startedAt, endedAt, reason, error: message, stack = '' } = past;
        const error = message === undefined ? undefined : { name: 'Error', message, stack };
        const run = runOf(row, this.process.host.planOf(row.job)?.file);
        const end = { outcome, attempt, startedAt, endedAt, reason, error };
        this.process.tellStreak(Object.assign(run, end), streak);
    }

    async #forget(): Promise<void> {
        const { connection, host } = this.process;
        const { retention, maxRunsPerJob } = host.journal;
        const oldest = Math.max(0, Math.floor(this.#time() - retention));
        const pattern = connection.key('past:').replace(/[[\]?*\\]/g, '\\$&');
        for (let cursor = ''; cursor !== '0'; ) {
            const [next, streams] = await connection.use((client) =>
                client.scan(cursor || '0', 'MATCH', `${pattern}*`, 'COUNT', 500),
            );
            for (const stream of streams) {
                await connection.use((client) => client.xtrim(stream, 'MINID', oldest));
                await connection.use((client) => client.xtrim(stream, 'MAXLEN', maxRunsPerJob));
            }
            cursor = next;
        }
    }

    /** What time it is by the clock of Redis, in unix milliseconds. */
    #time(): number {
        return Date.now() + this.#ahead;
    }
}

/** The last second up to which any process has enqueued, in what `live` holds; -Infinity: none ever did. */
export function enqueuedUntilIn(live: Readonly<Record<string, string>>): number {
    const until = beatsIn(live).map((beat) => beat.until ?? -Infinity);
    return Math.max(Number(live['enqueued'] ?? -Infinity), ...until);
}

/** The pauses in what `live` holds, by job. */
export function pausesIn(live: Readonly<Record<string, string>>): Pause[] {
    const texts = withPrefix('pause ', live).sort(([a], [b]) => (a < b ? -1 : 1));
    return texts.map(([, text]) => JSON.parse(text) as Pause);
}

/** A process's sign of life. */
export interface Beat {
    readonly id: string;
    /** Unix milliseconds, by the clock of Redis. */
    readonly at: number;
    readonly until: number | undefined;
    readonly pid: number;
    /** Unix milliseconds, by the process's own clock. */
    readonly startedAt: number;
    readonly host: string;
}

/** The signs of life in what `live` holds. */
export function beatsIn(live: Readonly<Record<string, string>>): Beat[] {
    return withPrefix('beat ', live).map(([id, value]) => {
        const [at, until, pid, startedAt, ...host] = value.split(' ');
        return {
            id,
            at: Number(at),
            until: until ? Number(until) : undefined,
            pid: Number(pid),
            startedAt: Number(startedAt),
            host: host.join(' '),
        };
    });
}

/** The fields that begin with something, without it. */
function withPrefix(prefix: string, fields: Readonly<Record<string, string>>): [string, string][] {
    return Object.entries(fields).flatMap(([field, value]): [string, string][] =>
        field.startsWith(prefix) ? [[field.slice(prefix.length), value]] : [],
    );
}
