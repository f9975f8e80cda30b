import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { ALL_JOBS, type DueSchedule, type EngineHost } from '../../runs/engine.js';
import { createRun } from '../../runs/run.js';
import { mayHaveTenants } from '../../runs/tenants.js';
import type { Owner } from '../owner.js';
import type { Connection } from './connection.js';
import {
    type EndedRow,
    HELD,
    KEPT,
    LanePlan,
    type Reading,
    type SkipEntry,
    type Skips,
    type Unit,
} from './lanes.js';
import type { Packages } from './packages.js';
import { holdsLane, type RedisRow, type RowParts, rowOf } from './rows.js';
import { QUEUE } from './worker.js';

/** As many rows are decided on in one step, so that none blocks Redis for long. */
export const MOST_IN_STEP = 200;

/** A step that was decided on too late, because others were faster, is decided on anew, so often. */
const MOST_TRIES = 50;

/** Runs without a priority are taken first: a long catch-up keeps no slot waiting that is due now. */
const AFTER_FRESH = 10;

/** A text of more characters than this goes beside the commands, and is written as JSON only once. */
const LONG = 150;

/** What steps are taken with. */
export interface StepsParts {
    readonly connection: Connection;
    readonly packages: Packages;
    readonly host: EngineHost;
    readonly owner: Owner;
    /** Told of runs that have ended, or do not start. */
    ended(ended: EndedRow): void;
    /** Told that runs are to end, which may go on here. */
    abort(id: string, reason: string): void;
    /** Told of a row that somebody waits for, and that may start. */
    ready(row: RedisRow): void;
}

/** Something that one step is to do, decided on from what is read just before. */
export interface Intent {
    readonly rows: readonly RedisRow[];
    /** Whether the row is in no lane. */
    readonly isAlone?: boolean;
    readonly ops?: Unit['ops'];
    /** A schedule's key, and up to where it has to be handled: else nothing of it is done. */
    readonly handled?: readonly [key: string, second: number];
    decide(plan: LanePlan, readings: readonly Reading[], paused: ReadonlySet<string>): void;
}

interface Leaving {
    readonly row: RedisRow;
    readonly past: string | undefined;
    done(): void;
    fail(error: unknown): void;
}

/** What happens in one step in Redis: it is read, decided, and done if all is still as it was read. Each may throw RedisAwayError. */
export class Steps {
    #queue: { readonly client: Redis; readonly bullmq: Queue } | undefined;
    readonly #leaving: Leaving[] = [];

    constructor(private readonly parts: StepsParts) {}

    /**
     * Records what is due.
     *
     * @param leader what is to be so, and done, before all else
     * @returns by key up to where schedules are handled that were not where the decision was made from; undefined: it is too late
     */
    async enqueue(due: readonly Intent[], leader?: Unit): Promise<Map<string, number> | undefined> {
        const moved = new Map<string, number>();
        for (let from = 0, to = 0; from < due.length; from = to) {
            for (let rows = 0; to < due.length && rows < MOST_IN_STEP; to++)
                rows += due[to]?.rows.length ?? 0;
            const leads = from === 0 ? leader : undefined;
            if (!(await this.#take(due.slice(from, to), moved, leads))) return undefined;
        }
        return moved;
    }

    /** Lets rows enter their lanes, each for itself. */
    async enter(rows: readonly RedisRow[]): Promise<void> {
        await this.#take(
            rows.map((row) => ({ rows: [row], decide: (plan, [read]) => read && plan.enter(row, read) })),
        );
    }

    /** Lets rows enter their lanes that have waited for their time outside of them. */
    async move(rows: readonly RedisRow[]): Promise<void> {
        await this.#take(
            rows.map((row) => ({ rows: [row], decide: (plan, [read]) => read && plan.move(row, read) })),
        );
    }

    /** Ends a run that has not started, or waits for its retry; any other one is asked to end. */
    async stop(row: RedisRow, reason: string): Promise<void> {
        const decide: Intent['decide'] = (plan, [read]) => read && plan.stop(row, read, reason);
        await this.#take([{ rows: [row], isAlone: !holdsLane(row), decide }]);
    }

    /** A row that was taken does not run, and leaves its lane. */
    async skip(row: RedisRow, reason: string): Promise<void> {
        const decide: Intent['decide'] = (plan, [read]) => {
            plan.leave(row, undefined);
            if (read) plan.skipRow(row, read, reason);
        };
        await this.#take([{ rows: [row], decide }]);
        const lane = this.parts.connection.key(`lane:${row.lane}`);
        const head = await this.parts.connection.use((client) => client.lindex(lane, 0));
        if (head) await this.start([idOf(head)]);
    }

    /** A row that has ended leaves its lane; those that end in one turn of the event loop do so in one step. */
    leave(row: RedisRow, past: string | undefined): Promise<void> {
        return new Promise((done, fail) => {
            if (this.#leaving.push({ row, past, done, fail }) === 1) setImmediate(() => void this.flush());
        });
    }

    /** Has rows executed that are at the head of their lane, by their ids. */
    async start(ids: readonly string[]): Promise<void> {
        if (ids.length === 0) return;
        const { connection } = this.parts;
        const { key } = connection;
        const [texts, data] = await connection.use((client) =>
            Promise.all([
                client.hmget(key('rows'), ...ids),
                Promise.all(ids.map((id) => client.hmget(key(`${QUEUE}:${id}`), 'data', 'timestamp'))),
            ]),
        );
        for (const [index, id] of ids.entries()) {
            const text = texts[index];
            const [was, timestamp] = data[index] ?? [];
            if (was !== HELD || !text) continue;
            // It had let another one go first. Only a job that was added has a time.
            const job = key(`${QUEUE}:${id}`);
            await connection.use<unknown>((client) =>
                timestamp ? client.multi().hset(job, 'data', text).persist(job).exec() : client.del(job),
            );
        }
        await this.#add(texts.flatMap((text) => (text ? [JSON.parse(text) as RedisRow] : [])));
    }

    /** What a schedule comes to, ready for a step; `dropped` wait, and are among what is skipped. */
    intentOf(due: DueSchedule, dropped: readonly RedisRow[], skipped: readonly Skips[]): Intent {
        const { schedule, plan, from, until, catchesUp, leftOut, decidesAnew } = due;
        const { overlap, missed, retries } = plan.settings;
        const { job, text, args, key } = schedule;
        const rowAt = (slot: number) => {
            const parts: RowParts = {
                kind: mayHaveTenants(plan.settings) ? 'slot' : 'run',
                origin: 'schedule',
                overlap,
                missed,
                catchesUp,
                runAt: slot * 1000,
                heedsPauses: true,
                retries,
            };
            const run = createRun({ job, schedule: text, args, scheduledAt: slot });
            return rowOf(run, parts, this.parts.owner);
        };
        const rows = (decidesAnew ? due.run : due.run.filter((slot) => slot > from)).map(rowAt);
        // A row of the lane, for what is skipped.
        const like = skipped.length > 0 ? [rowAt(until)] : [];
        return {
            rows: [...rows, ...dropped, ...like],
            handled: [key, from],
            ops: [['HSET', 'handled', key, String(Math.max(from, until))]],
            decide: (lanes, readings, paused) => {
                const reading = readings.at(-1);
                for (const row of like) for (const one of skipped) if (reading) lanes.skip(row, reading, one);
                for (const [index, row] of dropped.entries()) {
                    const read = readings[rows.length + index];
                    const { slot } = row;
                    const why = skipped.find(
                        ({ first, last }) => slot !== null && slot >= first && slot <= last,
                    );
                    if (read) lanes.stop(row, read, why?.reason ?? 'superseded');
                }
                const isPaused = paused.has(job) || paused.has(ALL_JOBS);
                const reason = leftOut ?? (isPaused ? 'paused' : undefined);
                for (const [index, row] of rows.entries()) {
                    const read = readings[index];
                    if (read && reason !== undefined) lanes.skipRow(row, read, reason);
                    else if (read) lanes.enter(row, read);
                }
            },
        };
    }

    async close(): Promise<void> {
        await this.#queue?.bullmq.close().catch(() => {});
        this.#queue = undefined;
    }

    /** What has ended leaves its lanes now. */
    async flush(): Promise<void> {
        const { host, owner } = this.parts;
        const leaving = this.#leaving.splice(0);
        if (leaving.length === 0) return;
        try {
            const units = leaving.map(({ row, past }) => {
                const plan = new LanePlan(host.clock.now(), owner);
                plan.leave(row, past);
                return plan.finish();
            });
            const answers = await this.#apply(units);
            const heads = leaving.map(({ row }, index) =>
                holdsLane(row) ? (answers[index] ?? '').slice(1) : '',
            );
            for (const { done } of leaving) done();
            await this.start(heads.filter((head) => head !== '').map(idOf));
        } catch (error) {
            for (const { fail } of leaving) fail(error);
        }
    }

    /** Takes a step: again, where others were faster. */
    async #take(
        intents: readonly Intent[],
        moved = new Map<string, number>(),
        leader?: Unit,
    ): Promise<boolean> {
        const { host, owner } = this.parts;
        let leads = leader && { ...leader, leads: true };
        let left = intents;
        for (let tries = 0; left.length > 0; tries++) {
            if (tries === MOST_TRIES) throw new Error('other processes change its lanes all the time');
            const { readings, paused, seconds } = await this.#read(left);
            left = left.filter((intent, index) => {
                const known = seconds[index];
                if (!intent.handled || known === String(intent.handled[1])) return true;
                moved.set(intent.handled[0], Number(known ?? intent.handled[1]));
                return false;
            });
            const plans = left.map((intent) => {
                const checks = intent.handled ? [['HGET', 'handled', ...intent.handled.map(String)]] : [];
                const unit = { checks, ops: intent.ops ?? [] };
                const plan = new LanePlan(host.clock.now(), owner, unit);
                intent.decide(plan, readings.get(intent) ?? [], paused);
                return plan;
            });
            const units = plans.map((plan) => plan.finish());
            const answers = await this.#apply(leads ? [leads, ...units] : units);
            if (leads && !answers.shift()) return false;
            leads = undefined;
            left = left.filter((_, index) => !answers[index]);
            await this.#heed(plans.filter((_, index) => answers[index]));
        }
        return true;
    }

    async #heed(plans: readonly LanePlan[]): Promise<void> {
        for (const { aborts, ended } of plans) {
            for (const { id, reason } of aborts) this.parts.abort(id, reason);
            for (const one of ended) this.parts.ended(one);
        }
        await this.#add(plans.flatMap(({ heads }) => heads));
        await this.start(plans.flatMap(({ freed }) => freed));
    }

    /** Has rows executed that are at the head of their lane. */
    async #add(rows: readonly RedisRow[]): Promise<void> {
        for (const row of rows) if (row.origin === 'waiter') this.parts.ready(row);
        const jobs = rows
            .filter(({ origin }) => origin !== 'waiter')
            .map((row) => ({
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
        if (jobs.length > 0) await this.parts.connection.use((client) => this.#queueOn(client).addBulk(jobs));
    }

    async #read(intents: readonly Intent[]) {
        const { connection } = this.parts;
        const asked = intents.flatMap(({ rows, isAlone }) =>
            rows.flatMap((row) => [row.id, isAlone ? '-' : row.lane, row.lane]),
        );
        const keys = intents.map(({ handled }) => handled?.[0] ?? '');
        const isDue = intents.some(({ handled }) => handled);
        const [answers, live, seconds] = await connection.use((client) =>
            Promise.all([
                asked.length === 0 ? [] : connection.run(client, 'botRead', ...asked),
                isDue ? client.hkeys(connection.key('live')) : [],
                isDue ? client.hmget(connection.key('handled'), ...keys) : [],
            ]),
        );
        const all = (answers as RawReading[]).map(readingOf);
        const readings = new Map(intents.map((intent) => [intent, all.splice(0, intent.rows.length)]));
        const paused = new Set(live.flatMap((field) => (field.startsWith('pause ') ? [field.slice(6)] : [])));
        return { readings, paused, seconds };
    }

    /** Answers of each unit what its last command did, after a `+`; '' where it was refused. */
    async #apply(units: readonly Unit[]): Promise<string[]> {
        if (units.length === 0) return [];
        const texts: string[] = [];
        const json = JSON.stringify(units, (_, value) =>
            typeof value === 'string' && value.length > LONG ? `$${texts.push(value) + 1}` : value,
        );
        return (await this.parts.connection.script('botApply', json, ...texts)) as string[];
    }

    #queueOn(client: Redis): Queue {
        if (this.#queue?.client === client) return this.#queue.bullmq;
        const { packages, connection } = this.parts;
        const bullmq = new packages.bullmq.Queue(QUEUE, {
            connection: client,
            prefix: connection.prefix,
            streams: { events: { maxLen: 1_000 } },
        });
        // The connection tells of it.
        bullmq.on('error', () => {});
        this.#queue = { client, bullmq };
        return bullmq;
    }
}

type RawReading = readonly [number, string, string, string, string, readonly string[]];

function readingOf([isKnown, skips, skipsId, status, noted, members]: RawReading): Reading {
    const entry = skips === '' ? undefined : (JSON.parse(skips) as SkipEntry);
    return { isKnown: isKnown > 0, skips: entry, skipsId, status, noted, members };
}

function idOf(member: string): string {
    return member.split(' ').at(-1) ?? '';
}
