import type { HistoryHost } from '../../runs/engine.js';
import {
    type Busy,
    type FoundRun,
    type History,
    type JobStatus,
    type LivingProcess,
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
import type { Run } from '../../runs/run.js';
import { isGone } from '../owner.js';
import { laneKey } from '../row.js';
import { type Database, kindOf, type Row } from './database.js';
import { openForReading } from './file.js';
import { LISTED, pastRunOf, RUN, SKIPS, skipsOf, statusOf } from './history.js';
import { pausesIn } from './pauses.js';
import { GONE } from './processes.js';
import { placeOf, type Store } from './store.js';

/** As many runs of a job are looked at for its last slots, where each has several tenants. */
const MOST_RUNS = 2_000;

/** As many of the newest runs are on a timeline. */
const MOST_ON_TIMELINE = 100_000;

const STRIPS = `SELECT value AS job,
    (SELECT json_group_array(json_array(id, slot, origin <> 'schedule', state, started_at, ended_at, reason, substr(error, 1, 200))) FROM (
        SELECT * FROM bot_runs INDEXED BY bot_history WHERE job = value AND ${LISTED} AND started_at IS NOT NULL
            ORDER BY seq DESC LIMIT ?2)) AS runs,
    (SELECT json_group_array(json_object('first', first, 'last', last, 'count', count, 'reason', reason)) FROM (
        SELECT * FROM bot_skips INDEXED BY bot_skips_by_job WHERE job = value ORDER BY last DESC LIMIT ?2)) AS skips
    FROM json_each(?1)`;

/** What a journal remembers. Nothing is read under a lock. */
export class SqliteLookups implements History {
    constructor(
        readonly isShared: boolean,
        private readonly look: <T>(work: (database: Database) => T) => Promise<T | undefined>,
    ) {}

    /** Opens it, by a store that is open in this process already; throws where the file cannot be read, or is none of this release. */
    static async open(host: HistoryHost, store: Store | undefined): Promise<SqliteLookups> {
        if (store) return new SqliteLookups(store.isShared, async (work) => store.read(work));
        const place = await placeOf(host);
        const database = place && readerOf(place.path);
        return new SqliteLookups(place !== undefined, async (work) => database && work(database));
    }

    async statusOf(jobs: readonly string[]): Promise<Map<string, JobStatus>> {
        const found = await this.look((database) =>
            jobs.flatMap((job): [string, JobStatus][] => {
                const status = statusOf(database, job);
                return status ? [[job, status]] : [];
            }),
        );
        return new Map(found);
    }

    async pauses(): Promise<Pause[]> {
        return (await this.look(pausesIn)) ?? [];
    }

    async workedUntil(): Promise<number | undefined> {
        const row = await this.look((database) =>
            database.statement('SELECT max(enqueued_until) AS until FROM bot_processes').get([]),
        );
        return optional<number>(row?.['until']);
    }

    async close(): Promise<void> {}

    async run(job: string, id: string): Promise<FoundRun | undefined> {
        const row = await this.look((database) =>
            database
                .statement(
                    `SELECT run.*, place.place FROM bot_runs AS run INDEXED BY bot_history
                    LEFT JOIN bot_processes AS place ON place.id = run.process
                    WHERE run.job = ? AND run.id = ? ORDER BY run.seq DESC LIMIT 1`,
                )
                .get([job, id]),
        );
        if (!row) return undefined;
        return {
            ...pastRunOf(row),
            ...(row['ended_at'] === null && row['state'] !== 'running' && { outcome: 'waiting' as const }),
            startedAt: optional<number>(row['started_at']),
            output: optional<string>(row['output']),
        };
    }

    async search(job: string, { outcome, tenant }: Search, most: number): Promise<(PastRun | PastSkips)[]> {
        const running = "ended_at IS NULL AND state = 'running'";
        const state = outcome === 'running' ? running : outcome === undefined ? '1' : 'state = ?2';
        const wanted = `job = ?1 AND ${state} AND (?3 IS NULL OR tenant IN (?3, json_quote(?3)))`;
        const values = [job, outcome ?? null, tenant ?? null, most];
        const past = await this.look((database) => [
            ...database
                .statement(
                    `${RUN} WHERE ${wanted} AND ${LISTED} AND started_at IS NOT NULL ORDER BY seq DESC LIMIT ?4`,
                )
                .all(values)
                .map(pastRunOf),
            ...(outcome === undefined || outcome === 'skipped'
                ? database
                      .statement(
                          `${SKIPS} WHERE job = ?1 AND ?2 IS ?2 AND (?3 IS NULL OR tenant IN (?3, json_quote(?3)))
                          ORDER BY last DESC LIMIT ?4`,
                      )
                      .all(values)
                      .map(skipsOf)
                : []),
        ]);
        return (past ?? []).sort((a, b) => timeOf(b) - timeOf(a)).slice(0, most);
    }

    async running(): Promise<PastRun[]> {
        const rows = await this.look((database) =>
            database
                .statement(
                    `${RUN} INDEXED BY bot_unfinished
                    WHERE ended_at IS NULL AND job > '' AND state = 'running' AND kind = 'run' ORDER BY started_at`,
                )
                .all([]),
        );
        return (rows ?? []).map(pastRunOf);
    }

    async slots(jobs: readonly string[], most: number): Promise<Map<string, PastSlot[]>> {
        const found = new Map<string, PastSlot[]>();
        for (let [left, rows] = [jobs, most]; left.length > 0; rows *= 5) {
            const strips = await this.look((database) =>
                database.statement(STRIPS).all([JSON.stringify(left), rows]),
            );
            left = (strips ?? []).flatMap((strip) => {
                const job = strip['job'] as string;
                const runs = (JSON.parse(strip['runs'] as string) as SlotRow[]).map(slotPartOf);
                const slots = slotsOf(runs, JSON.parse(strip['skips'] as string), most);
                if (slots.length > 0) found.set(job, slots);
                return runs.length === rows && slots.length < most && rows < MOST_RUNS ? [job] : [];
            });
        }
        return found;
    }

    async durations(lane: Pick<Run, 'job' | 'args' | 'tenant'>, most: number): Promise<readonly number[]> {
        const rows = await this.look((database) =>
            database
                .statement(
                    `SELECT ended_at - started_at AS duration FROM bot_runs INDEXED BY bot_slots
                    WHERE lane = ? AND origin = 'schedule' AND state = 'succeeded' AND attempt = 1
                    ORDER BY slot DESC LIMIT ?`,
                )
                .all([laneKey('run', lane), most]),
        );
        return (rows ?? []).map((row) => row['duration'] as number);
    }

    async waitingRuns(most: number): Promise<WaitingRun[]> {
        const rows = await this.look((database) =>
            database
                .statement(
                    `SELECT id, job, tenant, args, slot, run_at, attempt, state, key, requested_by FROM bot_runs INDEXED BY bot_unfinished
                    WHERE ended_at IS NULL AND job > '' AND state <> 'running' ORDER BY run_at LIMIT ?`,
                )
                .all([most]),
        );
        return (rows ?? []).map((row) => ({
            id: row['id'] as string,
            job: row['job'] as string,
            tenant: row['tenant'] === null ? undefined : JSON.parse(row['tenant'] as string),
            args: JSON.parse(row['args'] as string),
            key: optional<string>(row['key']),
            requestedBy: optional<string>(row['requested_by']),
            scheduledAt: optional<number>(row['slot']),
            runAt: row['run_at'] as number,
            attempt: row['attempt'] as number,
            isReady: row['state'] === 'waiting',
        }));
    }

    async since(from: number, step: number): Promise<Busy[]> {
        const rows = await this.look((database) =>
            database
                .statement(
                    `SELECT job, CAST((started_at - ?1) / ?2 AS INTEGER) AS place, state, count(*) AS count FROM bot_runs
                    WHERE seq > (SELECT max(seq) FROM bot_runs) - ${MOST_ON_TIMELINE} AND started_at >= ?1 AND kind = 'run'
                    GROUP BY job, place, state`,
                )
                .all([Math.floor(from), step]),
        );
        const cells = new Map<string, Busy>();
        for (const row of rows ?? []) {
            const job = row['job'] as string;
            const at = from + (row['place'] as number) * step;
            const state = row['state'] as Busy['outcome'] | 'waiting' | 'delayed' | 'blocked';
            const outcome =
                state === 'waiting' || state === 'delayed' || state === 'blocked' ? 'running' : state;
            const known = cells.get(`${at} ${job}`) ?? { job, at, count: 0, outcome };
            const count = known.count + (row['count'] as number);
            cells.set(`${at} ${job}`, { ...known, count, outcome: worse(known.outcome, outcome) });
        }
        return [...cells.values()];
    }

    async handledUntil(keys: readonly string[]): Promise<Map<string, number>> {
        const rows = await this.look((database) =>
            database
                .statement(
                    'SELECT key, handled_until FROM bot_schedules WHERE key IN (SELECT value FROM json_each(?))',
                )
                .all([JSON.stringify(keys)]),
        );
        return new Map((rows ?? []).map((row) => [row['key'] as string, row['handled_until'] as number]));
    }

    async processes(): Promise<LivingProcess[]> {
        const rows = await this.look((database) =>
            database
                .statement('SELECT * FROM bot_processes WHERE id <> ? ORDER BY started_at, id')
                .all([GONE]),
        );
        return (rows ?? []).map((row) => {
            const pid = row['pid'] as number;
            return {
                id: row['id'] as string,
                host: row['host'] as string,
                pid,
                release: optional<string>(row['release']),
                startedAt: row['started_at'] as number,
                beatAt: undefined,
                enqueuedUntil: optional<number>(row['enqueued_until']),
                isGone: isGone({ place: row['place'] as string, pid }),
            };
        });
    }

    async version(): Promise<string> {
        const found = await this.look((database) => [
            ...database.statement('SELECT max(seq) AS run FROM bot_runs').all([]),
            ...database.statement('SELECT max(seq) AS skip FROM bot_skips').all([]),
            ...database
                .statement(
                    `SELECT count(*) AS count, sum(seq) AS seqs, sum(attempt) AS attempts, sum(run_at) AS times,
                    group_concat(DISTINCT state) AS states, sum(state = 'running') AS running, sum(length(output)) AS output
                    FROM bot_runs INDEXED BY bot_unfinished WHERE ended_at IS NULL AND job > ''`,
                )
                .all([]),
            ...database
                .statement('SELECT count(*) AS count, sum(handled_until) AS until FROM bot_schedules')
                .all([]),
            ...database.statement('SELECT * FROM bot_pauses').all([]),
            ...database.statement('SELECT id FROM bot_processes').all([]),
        ]);
        return JSON.stringify(found ?? 'none');
    }
}

type SlotRow = [
    string,
    number | null,
    number,
    PastSlot['outcome'],
    number,
    number | null,
    string | null,
    string | null,
];

function slotPartOf([id, slot, manual, state, startedAt, endedAt, reason, error]: SlotRow) {
    return {
        id,
        scheduledAt: slot ?? undefined,
        manual: manual === 1,
        outcome: endedAt === null ? ('running' as const) : state,
        startedAt,
        endedAt: endedAt ?? undefined,
        reason: reason ?? undefined,
        error: error ?? undefined,
    };
}

function optional<T extends string | number>(value: Row[string] | undefined): T | undefined {
    return (value as T | null | undefined) ?? undefined;
}

/** A process opens a file once: a connection that closes could take the locks of others along. */
const readers = new Map<string, Database>();

function readerOf(path: string): Database | undefined {
    const known = readers.get(path);
    if (known) return known;
    try {
        const database = openForReading(path);
        if (database) readers.set(path, database);
        return database;
    } catch (error) {
        const why = kindOf(error) === 'locked' ? 'another process keeps it locked' : (error as Error).message;
        throw new Error(`The journal ${path} cannot be read: ${why}`, { cause: error });
    }
}
