import {
    type History,
    type JobStatus,
    lastRequestOf,
    type PastRun,
    type PastSkips,
    timeOf,
} from '../../runs/history.js';
import type { Outcome, Run } from '../../runs/run.js';
import { isGone, type Owner } from '../owner.js';
import { type Link, RedisAwayError } from './link.js';
import { fieldsOf } from './liveness.js';

/** As many runs are looked at together: few at first, because each may have the stack of its error with it. */
const FIRST_PAGE = 5;
const PAGE = 100;

/** Among as many of a job's newest runs the last slot's are looked for. */
const MOST_LOOKED_AT = 5_000;

const FIELDS = [
    'what',
    'attempt',
    'started',
    'ended',
    'outcome',
    'reason',
    'error',
    'stack',
    'owner',
    'waits',
] as const;
const SKIP_FIELDS = ['what', 'reason', 'first', 'last', 'count', 'atLeast'] as const;

type Row<Name extends string> = { readonly [Field in Name]: string };

/** What a run or a skip is of; as a run's identity is written. */
type What = Pick<Run, 'job' | 'schedule' | 'args' | 'tenant' | 'scheduledAt' | 'manual'> &
    Pick<Owner, 'host' | 'pid'>;

/** What the engine `bullmq` remembers, read from any machine. */
export class RedisHistory implements History {
    readonly isShared = true;

    constructor(private readonly link: Link) {}

    async statusOf(jobs: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
        const alive = new Set(await this.#fields('beat '));
        const statuses = await Promise.all(
            jobs.map(async (job) => [job, await this.#statusOf(job, alive)] as const),
        );
        return new Map(statuses.filter((entry): entry is [string, JobStatus] => entry[1] !== undefined));
    }

    async of(job: string, most: number): Promise<readonly (PastRun | PastSkips)[]> {
        // To Redis, 0 to -1 are all.
        if (most === 0) return [];
        const alive = new Set(await this.#fields('beat '));
        const [ids, skips] = await Promise.all([
            this.#read((client) => client.zrevrange(this.link.key(`history:${job}`), 0, most - 1)),
            this.#skipsOf(job, most),
        ]);
        const past = [...(await this.#runs(ids, alive)), ...skips];
        return past.sort((a, b) => timeOf(b) - timeOf(a)).slice(0, most);
    }

    async pausedJobs(): Promise<readonly string[]> {
        return (await this.#fields('pause ')).sort();
    }

    /** The connection closes by itself when nobody asks any more. */
    async close(): Promise<void> {}

    async #statusOf(job: string, alive: ReadonlySet<string>): Promise<JobStatus | undefined> {
        const going = await this.#read((client) => client.smembers(this.link.key(`going:${job}`)));
        const unfinished = await this.#runs(going, alive);
        const running = unfinished.filter(({ outcome }) => outcome === 'running');
        const { newest, manual } = await this.#newestEnded(job, alive);
        const ended = newest ? [newest, ...(await this.#siblings(newest, alive))] : [];
        const byHand = lastRequestOf(manual, newest?.startedAt ?? 0);
        const [skipped] = await this.#skipsOf(job, 1);
        if (!newest && !skipped && running.length === 0 && byHand.length === 0) return undefined;
        return { running, byHand, ended, skipped };
    }

    // The newest of a slot, and the manual ones since; not more of these than anybody asks for in a day.
    async #newestEnded(
        job: string,
        alive: ReadonlySet<string>,
    ): Promise<{ newest: PastRun | undefined; manual: PastRun[] }> {
        const key = this.link.key(`history:${job}`);
        const manual: PastRun[] = [];
        for (let from = 0, page = FIRST_PAGE; from < MOST_LOOKED_AT; from += page, page = PAGE) {
            const last = from + page - 1;
            const ids = await this.#read((client) => client.zrevrange(key, from, last));
            for (const run of await this.#runs(ids, alive)) {
                if (run.outcome === 'running') continue;
                if (!run.manual) return { newest: run, manual };
                manual.push(run);
            }
            if (ids.length === 0) break;
        }
        return { newest: undefined, manual };
    }

    // None starts before its slot.
    async #siblings(newest: PastRun, alive: ReadonlySet<string>): Promise<PastRun[]> {
        const { id, job, scheduledAt, startedAt } = newest;
        if (scheduledAt === undefined) return [];
        const key = this.link.key(`history:${job}`);
        const ids = await this.#read((client) => client.zrevrangebyscore(key, startedAt, scheduledAt * 1000));
        const runs = await this.#runs(ids, alive);
        return runs.filter(
            (run) =>
                run.id !== id && !run.manual && run.scheduledAt === scheduledAt && run.outcome !== 'running',
        );
    }

    async #runs(ids: readonly string[], alive: ReadonlySet<string>): Promise<PastRun[]> {
        const rows = await this.#rows(
            ids.map((id) => `run:${id}`),
            FIELDS,
        );
        return rows.flatMap((row, index) => (row ? [runOf(ids[index] as string, row, alive)] : []));
    }

    async #skipsOf(job: string, most: number): Promise<PastSkips[]> {
        const numbers = await this.#read((client) =>
            client.zrevrange(this.link.key(`skips:${job}`), 0, most - 1),
        );
        const rows = await this.#rows(
            numbers.map((number) => `skip:${number}`),
            SKIP_FIELDS,
        );
        return rows.flatMap((row) => (row ? [skipsOf(row)] : []));
    }

    async #rows<Name extends string>(
        names: readonly string[],
        fields: readonly Name[],
    ): Promise<(Row<Name> | undefined)[]> {
        if (names.length === 0) return [];
        const answers = await this.#asking(
            this.link.all((client) => names.map((name) => client.hmget(this.link.key(name), ...fields))),
        );
        return answers.map((values) =>
            // It may have been forgotten in the meantime.
            values[0] === null
                ? undefined
                : (Object.fromEntries(
                      fields.map((field, index) => [field, values[index] ?? '']),
                  ) as Row<Name>),
        );
    }

    async #fields(word: Parameters<typeof fieldsOf>[1]): Promise<string[]> {
        const fields = await this.#read((client) => client.hkeys(this.link.key('state')));
        return fieldsOf(fields, word);
    }

    #read<T>(work: Parameters<typeof this.link.use<T>>[0]): Promise<T> {
        return this.#asking(this.link.use(work));
    }

    async #asking<T>(answer: Promise<T>): Promise<T> {
        try {
            return await answer;
        } catch (error) {
            if (!(error instanceof RedisAwayError)) throw error;
            throw new Error(`What was remembered cannot be read: ${error.message}`, { cause: error });
        }
    }
}

function runOf(id: string, row: Row<(typeof FIELDS)[number]>, alive: ReadonlySet<string>): PastRun {
    const what = JSON.parse(row.what) as What;
    const { scheduledAt } = what;
    const startedAt = Number(row.started);
    // Processes of other machines are known by their beats alone.
    const isLost = row.outcome === '' && row.owner !== '' && (!alive.has(row.owner) || isGone(what));
    return {
        kind: 'run',
        ...whatRan(what),
        id,
        scheduledAt,
        manual: what.manual === true,
        attempt: Number(row.attempt),
        startedAt,
        endedAt: row.ended === '' ? undefined : Number(row.ended),
        lateBy: scheduledAt === undefined ? 0 : Math.max(0, startedAt - scheduledAt * 1000),
        outcome: isLost ? 'lost' : ((row.outcome || 'running') as Outcome | 'running'),
        reason: isLost ? 'its process is gone' : row.reason || undefined,
        error: row.error || undefined,
        stack: row.stack || undefined,
    };
}

function skipsOf(row: Row<(typeof SKIP_FIELDS)[number]>): PastSkips {
    return {
        kind: 'skips',
        ...whatRan(JSON.parse(row.what) as What),
        reason: row.reason,
        first: Number(row.first),
        last: Number(row.last),
        count: Number(row.count),
        atLeast: row.atLeast === '1',
    };
}

function whatRan({ job, schedule, args, tenant, host, pid }: What) {
    return { job, schedule, args, tenant, host, pid };
}
