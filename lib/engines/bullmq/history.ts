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
import type { Connection } from './connection.js';
import type { RedisRow } from './rows.js';

/** What is remembered of a run that goes on, with the process that executes it. */
export type Started = PastRun & { readonly process: string };

/** What the engine remembers in Redis: a stream of each job's ended runs and skipped slots. */
export class RedisHistory implements History {
    readonly isShared = true;

    constructor(
        private readonly connection: Connection,
        private readonly release: () => void,
    ) {}

    async statusOf(jobs: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
        const started = await this.#started();
        const found = await this.connection.all((client) => jobs.map((job) => this.#read(client, job, 200)));
        return new Map(
            jobs.flatMap((job, index): [string, JobStatus][] => {
                const running = started.filter((run) => run.job === job);
                const past = found[index] ?? [];
                return running.length + past.length > 0 ? [[job, statusOf(running, past)]] : [];
            }),
        );
    }

    async of(job: string, most: number): Promise<readonly (PastRun | PastSkips)[]> {
        const running = (await this.#started()).filter((run) => run.job === job);
        const [past = []] = await this.connection.all((client) => [this.#read(client, job, most)]);
        return [...running, ...past].sort((a, b) => timeOf(b) - timeOf(a)).slice(0, most);
    }

    async pausedJobs(): Promise<readonly string[]> {
        return (await this.connection.use((client) => client.hkeys(this.connection.key('pauses')))).sort();
    }

    async close(): Promise<void> {
        this.release();
    }

    // Of those that go on, a run whose lane has been left by now is in the stream as well.
    async #started(): Promise<PastRun[]> {
        const { connection } = this;
        const [rows, started] = await connection.all((client) => [
            client.hgetall(connection.key('rows')),
            client.hgetall(connection.key('started')),
        ]);
        return Object.entries(started ?? {}).flatMap(([id, text]): PastRun[] => {
            const row = rows?.[id];
            if (!row || (JSON.parse(row) as RedisRow).kind === 'slot') return [];
            const { past } = JSON.parse(text) as { past: PastRun };
            return [past];
        });
    }

    async #read(client: Redis, job: string, most: number): Promise<(PastRun | PastSkips)[]> {
        const entries = await client.xrevrange(
            this.connection.key(`history:${job}`),
            '+',
            '-',
            'COUNT',
            most,
        );
        return entries.map(([, [, text]]) => JSON.parse(text ?? '{}') as PastRun | PastSkips);
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
    const manual = newestFirst.filter((run) => run.manual).slice(0, MOST_OF_REQUEST);
    return {
        running,
        ended,
        byHand: lastRequestOf(manual, newest?.startedAt ?? 0),
        skipped: skips.sort((a, b) => b.last - a.last)[0],
    };
}
