import { createHash } from 'node:crypto';
import {
    type Busy,
    type FoundRun,
    type History,
    type JobStatus,
    type LivingProcess,
    lastRequestOf,
    MOST_OF_REQUEST,
    type PastRun,
    type PastSkips,
    type PastSlot,
    type Search,
    slotsOf,
    timeOf,
    type WaitingRun,
    worse,
} from '../../runs/history.js';
import type { Pause } from '../../runs/pause.js';
import { laneOf, latenessOf, type Run } from '../../runs/run.js';
import { beatsIn, enqueuedUntilIn, type Live, pausesIn } from './beats.js';
import type { Connection } from './connection.js';
import { pastRunOf, QUEUE, type RedisRow, readPast, readRows, runOf, workerNamed } from './rows.js';

/** As many entries of a job's history are looked through. */
const MOST_ENTRIES = 10_000;

/** Among as many of them those of a lane are looked for. */
const MOST_FOR_LANE = 1_000;

/** A process that has shown no life for so long, in milliseconds, has probably ended. */
const SILENT = 10_000;

type Past = PastRun | PastSkips;

/** What the engine remembers in Redis: a stream of each job's ended runs and skipped slots, and what goes on. */
export class RedisLookups implements History {
    readonly isShared = true;

    constructor(
        private readonly connection: Connection,
        private readonly release = () => {},
    ) {}

    async close(): Promise<void> {
        this.release();
    }

    async statusOf(jobs: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
        const found = await this.#ofEach(jobs, MOST_OF_REQUEST);
        return new Map(found.map(([job, past]) => [job, statusOf(past)]));
    }

    async search(job: string, { outcome, tenant }: Search, most: number): Promise<Past[]> {
        const isAny = outcome === undefined && tenant === undefined;
        const [[, past] = ['', []]] = await this.#ofEach([job], isAny ? most : Math.max(most, MOST_ENTRIES));
        const isWanted = (one: Past) =>
            (tenant === undefined || String(one.tenant) === tenant) &&
            (outcome === undefined || outcome === (one.kind === 'run' ? one.outcome : 'skipped'));
        const wanted = past.filter(isWanted).sort((a, b) => timeOf(b) - timeOf(a));
        return wanted.slice(0, most);
    }

    async slots(jobs: readonly string[], most: number): Promise<Map<string, PastSlot[]>> {
        const found = await this.#ofEach(jobs, most);
        return new Map(found.map(([job, past]) => [job, slotsOf(runsIn(past), skipsIn(past), most)]));
    }

    async run(job: string, id: string): Promise<FoundRun | undefined> {
        const run = await this.#find(job, id);
        if (!run) return undefined;
        const output = await this.connection.use((client, key) => client.get(key(`output:${id}`)));
        return { ...run, output: output ?? undefined };
    }

    // What BullMQ has handed over, and what is known of runs that wait for their retry, or that nobody else may execute.
    async running(): Promise<PastRun[]> {
        const [active, noted] = await this.connection.use((client, key) =>
            Promise.all([client.lrange(key(`${QUEUE}:active`), 0, -1), client.hgetall(key('started'))]),
        );
        const fields = ['processedOn', 'pb', 'atm', 'stc'] as const;
        const jobs = await this.connection.use((client, key) =>
            Promise.all(active.map((id) => client.hmget(key(`${QUEUE}:${id}`), ...fields))),
        );
        const rows = await readRows(this.connection, [...new Set([...active, ...Object.keys(noted)])]);
        return rows.flatMap((row): PastRun[] => {
            // Of some the end is on its way into the stream, or there already.
            if (row?.kind !== 'run') return [];
            const text = noted[row.id];
            const known = text ? (JSON.parse(text.slice(1)) as PastRun) : undefined;
            const job = jobs[active.indexOf(row.id)];
            if (!job) return known ? [known] : [];
            const [processedOn, by, made, stalled] = job;
            const startedAt = known?.startedAt ?? Number(processedOn);
            const attempt = Number(made ?? 0) + Number(stalled ?? 0) + 1;
            return [pastRunOf(Object.assign(runOf(row), { startedAt, attempt }), workerNamed(by))];
        });
    }

    async durations(lane: Pick<Run, 'job' | 'args' | 'tenant'>, most: number): Promise<readonly number[]> {
        const isIt = (run: PastRun) => run.outcome === 'succeeded' && run.attempt === 1 && !run.manual;
        return runsIn(await this.#read(lane.job, MOST_FOR_LANE))
            .filter((run) => isIt(run) && laneOf(run) === laneOf(lane))
            .map(({ startedAt, endedAt = 0 }) => endedAt - startedAt)
            .slice(0, most);
    }

    async waitingRuns(most: number): Promise<WaitingRun[]> {
        const [texts, ready, started] = await this.connection.use(async (client, key) => [
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
            .map(({ id, job, args, tenant, scheduledAt, runAt, key, requestedBy }) => {
                const known = { id, job, args, tenant, scheduledAt, runAt, key, requestedBy };
                return { ...known, attempt: 0, isReady: ready.has(id) };
            });
    }

    async since(from: number, step: number): Promise<Busy[]> {
        const cells = new Map<string, Busy>();
        const add = ({ job, startedAt, outcome }: PastRun) => {
            const at = from + Math.floor((startedAt - from) / step) * step;
            const { count, outcome: known } = cells.get(`${at} ${job}`) ?? { count: 0, outcome };
            cells.set(`${at} ${job}`, { job, at, count: count + 1, outcome: worse(known, outcome) });
        };
        for (const run of await this.running()) if (run.startedAt >= from) add(run);
        for (const stream of await this.connection.keysOf('past:')) {
            const entries = await this.connection.use((client) =>
                client.xrevrange(stream, '+', Math.floor(from), 'COUNT', MOST_ENTRIES),
            );
            const past = entries.map(([, fields]) => readPast(fields));
            for (const run of runsIn(past)) if (run.startedAt >= from) add(run);
        }
        return [...cells.values()];
    }

    async handledUntil(keys: readonly string[]): Promise<Map<string, number>> {
        if (keys.length === 0) return new Map();
        const found = await this.connection.use((client, key) => client.hmget(key('handled'), ...keys));
        const known = keys.map((name, index) => [name, found[index]] as const);
        return new Map(known.flatMap(([name, until]) => (until ? [[name, Number(until)]] : [])));
    }

    async pauses(): Promise<readonly Pause[]> {
        return pausesIn(await this.#live());
    }

    async workedUntil(): Promise<number | undefined> {
        const until = enqueuedUntilIn(await this.#live());
        return until > 0 ? until : undefined;
    }

    async processes(): Promise<LivingProcess[]> {
        return beatsIn(await this.#live()).map(({ id, at, until, pid, startedAt, host, release }) => ({
            ...{ id, host, pid, release, startedAt, beatAt: at, enqueuedUntil: until },
            isGone: Date.now() - at > SILENT,
        }));
    }

    async version(jobs: readonly string[]): Promise<string> {
        const found = await this.connection.use(async (client, key) => {
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

    async #find(job: string, id: string): Promise<FoundRun | undefined> {
        const running = (await this.running()).find((run) => run.id === id && run.job === job);
        if (running) return running;
        const [row] = await readRows(this.connection, [id]);
        if (row?.job === job) {
            const run = runOf(row);
            const nobody = { host: '', pid: 0, error: undefined, stack: undefined };
            return { ...run, ...nobody, kind: 'run', outcome: 'waiting', lateBy: latenessOf(run) };
        }
        return runsIn(await this.#read(job, MOST_ENTRIES)).find((run) => run.id === id);
    }

    /** What goes on of jobs, and what is over; those of which nothing is known are left out. */
    async #ofEach(jobs: readonly string[], most: number): Promise<[job: string, past: Past[]][]> {
        const running = await this.running();
        const found = await Promise.all(jobs.map((job) => this.#read(job, most)));
        return jobs.flatMap((job, index): [string, Past[]][] => {
            const past = found[index] ?? [];
            // What has ended between the two looks is in both.
            const ended = new Set(runsIn(past).map(({ id }) => id));
            const all = [...running.filter((run) => run.job === job && !ended.has(run.id)), ...past];
            return all.length > 0 ? [[job, all]] : [];
        });
    }

    /** What is over, newest first. */
    async #read(job: string, most: number): Promise<Past[]> {
        const entries = await this.connection.use((client, key) =>
            client.xrevrange(key(`past:${job}`), '+', '-', 'COUNT', most),
        );
        return entries.map(([, fields]) => readPast(fields));
    }

    #live(): Promise<Live> {
        return this.connection.use((client, key) => client.hgetall(key('live')));
    }
}

function statusOf(past: readonly Past[]): JobStatus {
    const runs = runsIn(past).sort((a, b) => b.startedAt - a.startedAt);
    const over = runs.filter(({ outcome }) => outcome !== 'running');
    const newest = over.find(({ manual }) => !manual);
    const manual = over.filter((run) => run.manual);
    return {
        running: runs.filter(({ outcome }) => outcome === 'running'),
        ended: over.filter((run) => !run.manual && run.scheduledAt === newest?.scheduledAt),
        byHand: lastRequestOf(manual, newest?.startedAt ?? 0),
        skipped: skipsIn(past).sort((a, b) => b.last - a.last)[0],
    };
}

function runsIn(past: readonly Past[]): PastRun[] {
    return past.filter((one): one is PastRun => one.kind === 'run');
}

function skipsIn(past: readonly Past[]): PastSkips[] {
    return past.filter((one): one is PastSkips => one.kind === 'skips');
}
