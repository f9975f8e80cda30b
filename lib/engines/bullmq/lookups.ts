import { createHash } from 'node:crypto';
import { type PastRun, type PastSkips, timeOf } from '../../runs/history.js';
import {
    type Busy,
    type FoundRun,
    type LivingProcess,
    type Lookups,
    type PastSlot,
    type Search,
    slotsOf,
    type WaitingRun,
    worse,
} from '../../runs/lookups.js';
import { laneOf, latenessOf, type Run } from '../../runs/run.js';
import { beatsIn } from './beats.js';
import { RedisHistory } from './history.js';
import { QUEUE, type RedisRow, readPast, runOf } from './rows.js';

/** As many entries of a job's history are looked through. */
const MOST_ENTRIES = 10_000;

/** Among as many of them those of a lane are looked for. */
const MOST_FOR_LANE = 1_000;

/** A process that has shown no life for so long, in milliseconds, has probably ended. */
const SILENT = 10_000;

/** What pages ask of Redis. */
export class RedisLookups extends RedisHistory implements Lookups {
    async run(job: string, id: string): Promise<FoundRun | undefined> {
        const run = await this.#find(job, id);
        if (!run) return undefined;
        const key = this.connection.key(`output:${id}`);
        const output = await this.connection.use((client) => client.get(key));
        return { ...run, output: output ?? undefined };
    }

    async #find(job: string, id: string): Promise<FoundRun | undefined> {
        const running = (await this.started()).find((run) => run.id === id && run.job === job);
        if (running) return running;
        const text = await this.connection.use((client) => client.hget(this.connection.key('rows'), id));
        const row = text ? (JSON.parse(text) as RedisRow) : undefined;
        if (row?.job === job) {
            const run = runOf(row, undefined);
            const nobody = { host: '', pid: 0, error: undefined, stack: undefined };
            return { ...run, ...nobody, kind: 'run', outcome: 'waiting', lateBy: latenessOf(run) };
        }
        const past = await this.connection.use((client) => this.read(client, job, MOST_ENTRIES));
        return past.find((one): one is PastRun => one.kind === 'run' && one.id === id);
    }

    async search(job: string, { outcome, tenant }: Search, most: number): Promise<(PastRun | PastSkips)[]> {
        const past = await this.of(
            job,
            outcome === undefined && tenant === undefined ? most : Math.max(most, MOST_ENTRIES),
        );
        const isWanted = (one: PastRun | PastSkips) =>
            (tenant === undefined || String(one.tenant) === tenant) &&
            (outcome === undefined || outcome === (one.kind === 'run' ? one.outcome : 'skipped'));
        return past.filter(isWanted).slice(0, most);
    }

    running(): Promise<PastRun[]> {
        return this.started();
    }

    async slots(jobs: readonly string[], most: number): Promise<Map<string, PastSlot[]>> {
        const running = await this.started();
        const past = await this.connection.use((client) =>
            Promise.all(jobs.map((job) => this.read(client, job, most))),
        );
        const slots = jobs.map((job, index): [string, PastSlot[]] => {
            const all = [...running.filter((run) => run.job === job), ...(past[index] ?? [])];
            const runs = all.filter((one): one is PastRun => one.kind === 'run');
            const skips = all.filter((one): one is PastSkips => one.kind === 'skips');
            return [job, slotsOf(runs, skips, most)];
        });
        return new Map(slots.filter(([, found]) => found.length > 0));
    }

    async durations(lane: Pick<Run, 'job' | 'args' | 'tenant'>, most: number): Promise<readonly number[]> {
        const past = await this.connection.use((client) => this.read(client, lane.job, MOST_FOR_LANE));
        return past
            .flatMap((one) => {
                const isIt =
                    one.kind === 'run' && one.outcome === 'succeeded' && one.attempt === 1 && !one.manual;
                return isIt && laneOf(one) === laneOf(lane) ? [(one.endedAt ?? 0) - one.startedAt] : [];
            })
            .slice(0, most);
    }

    async waitingRuns(most: number): Promise<WaitingRun[]> {
        const { key } = this.connection;
        const [texts, ready, started] = await this.connection.use(async (client) => [
            await client.hvals(key('rows')),
            new Set([
                ...(await client.lrange(key(`${QUEUE}:wait`), 0, most)),
                ...(await client.zrange(key(`${QUEUE}:prioritized`), 0, String(most))),
            ]),
            new Set(await client.lrange(key(`${QUEUE}:active`), 0, -1)),
        ]);
        return texts
            .map((text) => JSON.parse(text) as RedisRow)
            .filter(({ id }) => !started.has(id))
            .sort((a, b) => a.runAt - b.runAt)
            .slice(0, most)
            .map(({ id, job, args, tenant, slot, runAt, key, requestedBy }) => ({
                ...{ id, job, args, runAt, key, requestedBy, attempt: 0, isReady: ready.has(id) },
                tenant: tenant ?? undefined,
                scheduledAt: slot ?? undefined,
            }));
    }

    async since(from: number, step: number): Promise<Busy[]> {
        const { key } = this.connection;
        const cells = new Map<string, Busy>();
        const add = ({ job, startedAt, outcome }: PastRun) => {
            const at = from + Math.floor((startedAt - from) / step) * step;
            const known = cells.get(`${at} ${job}`) ?? { job, at, count: 0, outcome };
            cells.set(`${at} ${job}`, {
                ...known,
                count: known.count + 1,
                outcome: worse(known.outcome, outcome),
            });
        };
        for (const run of await this.started()) if (run.startedAt >= from) add(run);
        const streams = await this.connection.use((client) =>
            client.keys(`${key('past:').replace(/[[\]?*\\]/g, '\\$&')}*`),
        );
        for (const stream of streams) {
            const entries = await this.connection.use((client) =>
                client.xrevrange(stream, '+', Math.floor(from), 'COUNT', MOST_ENTRIES),
            );
            for (const [, fields] of entries) {
                const past = readPast(fields);
                if (past.kind === 'run' && timeOf(past) >= from) add(past);
            }
        }
        return [...cells.values()];
    }

    async handledUntil(keys: readonly string[]): Promise<Map<string, number>> {
        if (keys.length === 0) return new Map();
        const { key } = this.connection;
        const found = await this.connection.use((client) => client.hmget(key('handled'), ...keys));
        const known = keys.map((name, index) => [name, found[index]] as const);
        return new Map(known.flatMap(([name, until]) => (until ? [[name, Number(until)]] : [])));
    }

    async processes(): Promise<LivingProcess[]> {
        return beatsIn(await this.#live()).map(({ id, at, until, pid, startedAt, host }) => ({
            ...{ id, host, pid, startedAt, beatAt: at, enqueuedUntil: until },
            isGone: Date.now() - at > SILENT,
        }));
    }

    async version(jobs: readonly string[]): Promise<string> {
        const { key } = this.connection;
        const found = await this.connection.use(async (client) => {
            const started = await client.hgetall(key('started'));
            return Promise.all([
                started,
                Promise.all(Object.keys(started).map((id) => client.strlen(key(`output:${id}`)))),
                client.hvals(key('handled')),
                client.hkeys(key('rows')),
                client.lrange(key(`${QUEUE}:active`), 0, -1),
                Promise.all(jobs.map((job) => client.xrevrange(key(`past:${job}`), '+', '-', 'COUNT', 1))),
            ]);
        });
        const live = Object.entries(await this.#live()).map(([field, value]) =>
            field.startsWith('beat ') || field === 'enqueued' ? field : `${field} ${value}`,
        );
        return createHash('sha1')
            .update(JSON.stringify([found, live.sort()]))
            .digest('base64');
    }

    #live(): Promise<Record<string, string>> {
        return this.connection.use((client) => client.hgetall(this.connection.key('live')));
    }
}
