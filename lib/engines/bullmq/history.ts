import type { Redis } from 'ioredis';
import {
    type History,
    type JobStatus,
    lastRequestOf,
    MOST_OF_REQUEST,
    type PastRun,
    type PastSkips,
    timeOf,
} from '../../runs/history.js';
import type { Pause } from '../../runs/pause.js';
import { enqueuedUntilIn, pausesIn } from './beats.js';
import type { Connection } from './connection.js';
import { pastRunOf, QUEUE, type RedisRow, readPast, runOf, workerNamed } from './rows.js';

/** What the engine remembers in Redis: a stream of each job's ended runs and skipped slots, and what goes on. */
export class RedisHistory implements History {
    readonly isShared = true;

    constructor(
        protected readonly connection: Connection,
        private readonly release = () => {},
    ) {}

    async statusOf(jobs: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
        const started = await this.started();
        const found = await this.connection.use((client) =>
            Promise.all(jobs.map((job) => this.read(client, job, MOST_OF_REQUEST))),
        );
        return new Map(
            jobs.flatMap((job, index): [string, JobStatus][] => {
                const running = started.filter((run) => run.job === job);
                const past = found[index] ?? [];
                return running.length + past.length > 0 ? [[job, statusOf(running, past)]] : [];
            }),
        );
    }

    async of(job: string, most: number): Promise<readonly (PastRun | PastSkips)[]> {
        const started = (await this.started()).filter((run) => run.job === job);
        const past = await this.connection.use((client) => this.read(client, job, most));
        // What has ended between the two looks is in both.
        const ended = new Set(past.map((one) => one.kind === 'run' && one.id));
        const running = started.filter(({ id }) => !ended.has(id));
        return [...running, ...past].sort((a, b) => timeOf(b) - timeOf(a)).slice(0, most);
    }

    async pauses(): Promise<readonly Pause[]> {
        return pausesIn(await this.connection.use((client) => client.hgetall(this.connection.key('live'))));
    }

    async workedUntil(): Promise<number | undefined> {
        const live = await this.connection.use((client) => client.hgetall(this.connection.key('live')));
        const until = enqueuedUntilIn(live);
        return until > 0 ? until : undefined;
    }

    async close(): Promise<void> {
        this.release();
    }

    // What BullMQ has handed over, and what is known of runs that wait for their retry, or that nobody else may execute.
    protected async started(): Promise<PastRun[]> {
        const { connection } = this;
        const { key } = connection;
        const [active, noted] = await connection.use((client) =>
            Promise.all([client.lrange(key(`${QUEUE}:active`), 0, -1), client.hgetall(key('started'))]),
        );
        const ids = [...new Set([...active, ...Object.keys(noted)])];
        if (ids.length === 0) return [];
        const [texts, jobs] = await connection.use((client) =>
            Promise.all([
                // Of some the end is on its way into the stream, or there already.
                client.hmget(key('rows'), ...ids),
                Promise.all(
                    active.map((id) =>
                        client.hmget(key(`${QUEUE}:${id}`), 'processedOn', 'pb', 'atm', 'stc'),
                    ),
                ),
            ]),
        );
        const rows = new Map(
            ids.map((id, index) => [id, JSON.parse(texts[index] ?? 'null') as RedisRow | null]),
        );
        const started = new Map<string, PastRun>();
        for (const [id, text] of Object.entries(noted)) started.set(id, JSON.parse(text.slice(1)) as PastRun);
        for (const [index, id] of active.entries()) {
            const [processedOn, by, made, stalled] = jobs[index] ?? [];
            const row = rows.get(id);
            if (!row) continue;
            const run = Object.assign(runOf(row, undefined), {
                startedAt: started.get(id)?.startedAt ?? Number(processedOn),
                attempt: Number(made ?? 0) + Number(stalled ?? 0) + 1,
            });
            started.set(id, pastRunOf(run, workerNamed(by)));
        }
        return [...started].flatMap(([id, run]) => (rows.get(id)?.kind === 'run' ? [run] : []));
    }

    protected async read(client: Redis, job: string, most: number): Promise<(PastRun | PastSkips)[]> {
        const stream = this.connection.key(`past:${job}`);
        const entries = await client.xrevrange(stream, '+', '-', 'COUNT', most);
        return entries.map(([, fields]) => readPast(fields));
    }
}

function statusOf(running: readonly PastRun[], past: readonly (PastRun | PastSkips)[]): JobStatus {
    const runs = past.filter((one): one is PastRun => one.kind === 'run');
    const skips = past.filter((one): one is PastSkips => one.kind === 'skips');
    const newestFirst = [...runs].sort((a, b) => b.startedAt - a.startedAt);
    const newest = newestFirst.find(({ manual }) => !manual);
    const ended = newestFirst.filter(
        ({ manual, scheduledAt }) => !manual && scheduledAt === newest?.scheduledAt,
    );
    const manual = newestFirst.filter((run) => run.manual);
    return {
        running,
        ended,
        byHand: lastRequestOf(manual, newest?.startedAt ?? 0),
        skipped: skips.sort((a, b) => b.last - a.last)[0],
    };
}
