import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Outcome, Run } from '../../runs/run.js';
import { holdsLane } from '../row.js';
import { effectOf, type Streak } from '../streak.js';
import { type Basis, basisOf, type Command, emptyReading, LanePlan } from './lanes.js';
import type { LocalProcess } from './local_process.js';
import { idOf, memberOf, QUEUE, type RedisRow, readRows } from './rows.js';

/** As many rows are decided on in one step, so that none blocks Redis for long. */
export const MOST_IN_STEP = 200;

/** A step that was decided on too late, because others were faster, is decided on anew, so often. */
const MOST_TRIES = 50;

/** Runs without a priority are taken first: a long catch-up keeps no slot waiting that is due now. */
const AFTER_FRESH = 10;

/** These skips behind one run are told with its age. */
const TOLD_SKIPS = [1, 10, 100];

/** Something that one step is to do, if all that it is decided from is still so then. */
export interface Intent {
    readonly basis: Basis;
    decide(plan: LanePlan): void;
}

/** Does something if a field is as it was. */
export function ifStill(check: NonNullable<Basis['check']>, command: Command): Intent {
    return { basis: { ...basisOf([]), check }, decide: (plan) => plan.do(command) };
}

interface Leaving {
    readonly row: RedisRow;
    readonly past: string | undefined;
    readonly outcome: Outcome | undefined;
    done(streak: Streak | undefined): void;
    fail(error: unknown): void;
}

/** What happens in one step in Redis: it is decided, and done if it was decided from what is so. Each may throw RedisAwayError. */
export class Steps {
    #queue: { readonly client: Redis; readonly bullmq: Queue } | undefined;
    #leaving: Leaving[] = [];
    #isFlushing = false;
    readonly #starting = new Set<Promise<void>>();
    readonly #skipsBehind = new Map<string, number>();

    constructor(private readonly process: LocalProcess) {}

    /**
     * Takes steps, each for itself; first as if all lanes were empty, as they mostly are.
     *
     * @returns what is checked, by field, where it is not as it has to be: nothing was done there
     */
    async take(intents: readonly Intent[]): Promise<Map<string, string>> {
        const moved = new Map<string, string>();
        for (let from = 0, to = 0; from < intents.length; from = to) {
            for (let rows = 0; to < intents.length && rows < MOST_IN_STEP; to++)
                rows += 1 + (intents[to]?.basis.ids.length ?? 0);
            await this.#takeTogether(intents.slice(from, to), moved);
        }
        return moved;
    }

    /** Takes a step for each row, decided from what it and its lane are like. */
    async each(rows: readonly RedisRow[], decide: (plan: LanePlan, row: RedisRow) => void): Promise<void> {
        await this.take(rows.map((row) => ({ basis: basisOf([row]), decide: (plan) => decide(plan, row) })));
    }

    /** Lets rows enter their lanes. */
    enter(rows: readonly RedisRow[]): Promise<void> {
        return this.each(rows, (plan, row) => plan.enter(row));
    }

    /** Lets a row enter its lane that somebody asked for, unless one with its key waits; answers the id of the one that does then. */
    async request(row: RedisRow, whenQueued: 'keep' | 'replace'): Promise<string> {
        const { connection, host } = this.process;
        if (row.key === undefined) {
            await this.enter([row]);
            return row.id;
        }
        const hash = `key:${JSON.stringify([row.job, row.key])}`;
        for (;;) {
            const known = (await connection.use((client, key) => client.hget(key(hash), 'id'))) ?? '';
            const queued = known === '' ? undefined : await this.#waitingRow(known);
            if (queued && whenQueued === 'keep') return queued.id;
            const check = [hash, 'id', known] as const;
            const lasts = Math.ceil(Math.max(0, row.runAt - host.clock.now()) + host.journal.retention);
            const moved = await this.take([
                {
                    basis: { ...basisOf([row], queued ? [queued] : []), check },
                    decide: (plan) => {
                        if (queued) plan.replace(queued);
                        plan.do(['HSET', hash, 'id', row.id], ['PEXPIRE', hash, String(lasts)]);
                        plan.enter(row);
                    },
                },
            ]);
            if (moved.size === 0) return row.id;
        }
    }

    /** A row that waits, and has never started. */
    async #waitingRow(id: string): Promise<RedisRow | undefined> {
        const { connection } = this.process;
        const [row] = await readRows(connection, [id]);
        const [started, job] = await connection.use((client, key) =>
            Promise.all([
                client.hexists(key('started'), id),
                client.hexists(key(`${QUEUE}:${id}`), 'processedOn'),
            ]),
        );
        return row && started + job === 0 ? row : undefined;
    }

    /** A row that has ended leaves its lane; those that end while others are on their way do so in one step. */
    leave(
        row: RedisRow,
        past: string | undefined,
        outcome: Outcome | undefined,
    ): Promise<Streak | undefined> {
        this.#skipsBehind.delete(row.id);
        return new Promise((done, fail) => {
            this.#leaving.push({ row, past, outcome, done, fail });
            void this.#flushAll();
        });
    }

    async #flushAll(): Promise<void> {
        if (this.#isFlushing) return;
        this.#isFlushing = true;
        while (this.#leaving.length > 0) {
            await nextTurn();
            await this.flush();
        }
        this.#isFlushing = false;
    }

    /** What has ended leaves its lanes now. */
    async flush(): Promise<void> {
        const leaving = this.#leaving;
        this.#leaving = [];
        try {
            const { host, connection } = this.process;
            const texts = leaving.flatMap(({ row, past, outcome }) => {
                const place = holdsLane(row) ? [row.lane, memberOf(row)] : ['', ''];
                const streak = JSON.stringify([row.job, row.tenant ?? null]);
                const most = Math.min(host.failingAfter(row.job), Number.MAX_SAFE_INTEGER);
                const count = [streak, effectOf(outcome) ?? '', most, Math.floor(host.clock.now())];
                return [row.id, row.job, past ?? '', ...place, ...count];
            });
            if (leaving.length === 0) return;
            const [heads, told] = (await connection.script('botLeave', ...texts)) as string[][];
            const streaks = new Map(told?.map(streakFrom));
            for (const { row, done } of leaving) done(streaks.get(row.id));
            this.#follow(this.start(heads?.map(idOf) ?? []));
        } catch (error) {
            for (const { fail } of leaving) fail(error);
        }
    }

    /** Has rows executed that are at the head of their lane, by their ids. */
    async start(ids: readonly string[]): Promise<void> {
        const rows = await readRows(this.process.connection, ids);
        await this.#add(rows.filter((row) => row !== null));
    }

    async close(): Promise<void> {
        await Promise.all(this.#starting);
        await this.#queue?.bullmq.close().catch(() => {});
        this.#queue = undefined;
    }

    async #takeTogether(intents: readonly Intent[], moved: Map<string, string>): Promise<void> {
        const { host, connection, owner } = this.process;
        let left = intents.map((intent) => ({ intent, reading: emptyReading(intent.basis) }));
        for (let tries = 0; left.length > 0; tries++) {
            if (tries === MOST_TRIES) throw new Error('other processes change its lanes all the time');
            const plans = left.map(({ intent, reading }) => {
                const plan = new LanePlan(host.clock.now(), owner, intent.basis, reading);
                intent.decide(plan);
                return plan;
            });
            const units = plans.map((plan) => plan.unit());
            const answers = (await connection.script('botStep', JSON.stringify(units))) as string[];
            left = left.flatMap(({ intent }, index) => {
                const reading = answers[index] ?? '';
                if (reading === '') return [];
                const [value = ''] = reading.split('\n', 1);
                const { check } = intent.basis;
                if (!check || value === check[2]) return [{ intent, reading }];
                moved.set(check[1], value);
                return [];
            });
            this.#tellEnds(plans.filter((_, index) => answers[index] === ''));
            this.#startHeads(plans.filter((_, index) => answers[index] === ''));
        }
    }

    #tellEnds(plans: readonly LanePlan[]): void {
        for (const { aborts, ended } of plans) {
            for (const { id, reason } of aborts) this.process.abort(id, reason);
            for (const one of ended) {
                this.#skipsBehind.delete(one.row.id);
                const run = this.process.tellSkipped(one);
                if (one.behind !== undefined && !run.manual) void this.#tellBlocked(run, one.behind);
            }
        }
    }

    #startHeads(plans: readonly LanePlan[]): void {
        const heads = plans.map((plan) => plan.heads());
        const added = this.#add(heads.flatMap(({ fresh }) => fresh));
        this.#follow(added.then(() => this.start(heads.flatMap(({ freed }) => freed))));
    }

    // Nobody waits for it: what does not reach the queue is found when heads are looked for that are not in it.
    #follow(start: Promise<void>): void {
        const starting = start.catch(() => {}).finally(() => this.#starting.delete(starting));
        this.#starting.add(starting);
    }

    async #tellBlocked(run: Run, behind: string): Promise<void> {
        const { host, connection } = this.process;
        const skips = (this.#skipsBehind.get(behind) ?? 0) + 1;
        this.#skipsBehind.set(behind, skips);
        if (!TOLD_SKIPS.includes(skips)) return;
        const since = await connection
            .use((client, key) => client.hget(key(`${QUEUE}:${behind}`), 'processedOn'))
            .catch(() => null);
        if (since) host.emit({ type: 'lane-blocked', run, skips, age: Date.now() - Number(since) });
    }

    /** Has rows executed that are at the head of their lane. */
    async #add(rows: readonly RedisRow[]): Promise<void> {
        for (const { origin, id } of rows) if (origin === 'waiter') this.process.waiters.get(id)?.begin();
        const jobs = rows
            .filter(({ origin }) => origin !== 'waiter')
            .map((row) => ({
                name: row.job,
                data: row,
                opts: row.catchesUp ? { jobId: row.id, priority: AFTER_FRESH } : { jobId: row.id },
            }));
        if (jobs.length > 0)
            await this.process.connection.use((client) => this.#queueOn(client).addBulk(jobs));
    }

    #queueOn(client: Redis): Queue {
        if (this.#queue?.client === client) return this.#queue.bullmq;
        const { prefix, packages } = this.process.connection;
        const streams = { events: { maxLen: 1_000 } };
        const bullmq = new packages.bullmq.Queue(QUEUE, { connection: client, prefix, streams });
        // The connection tells of it.
        bullmq.on('error', () => {});
        this.#queue = { client, bullmq };
        return bullmq;
    }
}

/** Reads what a script says of a streak: how many failures, since when, and the last run. */
function streakFrom(text: string): [id: string, Streak] {
    const [failures, since, ...id] = text.split(' ');
    return [id.join(' '), { failures: Number(failures), since: Number(since) }];
}
