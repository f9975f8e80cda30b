import type { PastRun, PastSkips } from '../../runs/history.js';
import { createRun, latenessOf, type Run } from '../../runs/run.js';
import type { MissedPolicy } from '../../schedule/missed.js';
import { traceOf } from '../../text/errors.js';
import type { Entrant } from '../lane_rules.js';
import type { Owner } from '../owner.js';
import { type Entry, laneKey } from '../row.js';
import type { Connection } from './connection.js';

/** The name of the queue; BullMQ puts the prefix in front. */
export const QUEUE = 'runs';

/** What a row has of its run. */
type Known = Readonly<
    Pick<Run, 'job' | 'schedule' | 'args' | 'tenant' | 'scheduledAt' | 'spread' | 'manual'> &
        Pick<Run, 'requestedBy' | 'traceparent'>
>;

/** What a row is made of, beside its run. */
export interface RowParts extends Omit<Entrant, 'kind'> {
    readonly missed: MissedPolicy;
    /** Of those of its job with this key, one waits. */
    readonly key?: string | undefined;
    /** Whether it does not start while its job is paused. */
    readonly heedsPauses: boolean;
}

/** A run from when it is due until it has ended, as Redis and BullMQ's job have it. */
export interface RedisRow extends Known, RowParts, Omit<Entry, 'run'> {
    readonly id: string;
    readonly lane: string;
    /** The process that waits for it, or has recorded it. */
    readonly process: string;
}

/** The row of a run. What a schedule makes has the id of its slot and lane: what is there already does not come again. */
export function rowOf({ kind, run, runAt }: Entry, parts: RowParts, owner: Owner): RedisRow {
    const { job, schedule, args, tenant, scheduledAt, spread, manual, requestedBy, traceparent } = run;
    const known: Known = {
        job,
        schedule,
        args,
        tenant,
        scheduledAt,
        spread,
        manual,
        requestedBy,
        traceparent,
    };
    const lane = laneKey(kind, run);
    const id = parts.origin === 'schedule' ? `${scheduledAt}-${lane}` : run.id;
    // Each run passes here, and to spread objects takes V8 ten times as long.
    return Object.assign({}, parts, known, { id, kind, lane, runAt, process: owner.id });
}

/** The run of a row. */
export function runOf(row: RedisRow, file?: string | undefined): Run {
    return Object.assign(createRun(row), { file });
}

/** A row as its lane's list has it: `f`: a schedule made it, `c`: it catches up, `m`: somebody asked for it; its slot; its id. */
export function memberOf({ catchesUp, origin, scheduledAt = 0, id }: RedisRow): string {
    return `${catchesUp ? 'c' : origin === 'schedule' ? 'f' : 'm'} ${scheduledAt} ${id}`;
}

/** The id of a lane's member. */
export function idOf(member: string): string {
    return member.split(' ').at(-1) ?? '';
}

const isText = (value: unknown) => typeof value === 'string' && value !== '';
const isMissingOr = (isIt: (value: unknown) => boolean) => (value: unknown) =>
    value === undefined || isIt(value);

/** What the fields of a row have to be that nothing can be done without. */
const FORMS: { readonly [Field in keyof RedisRow]?: (value: unknown) => boolean } = {
    lane: isText,
    job: isText,
    process: isText,
    kind: (value) => value === 'run' || value === 'slot',
    origin: (value) => value === 'schedule' || value === 'later',
    schedule: isMissingOr(isText),
    args: Array.isArray,
    tenant: isMissingOr((value) => isText(value) || Number.isFinite(value)),
    scheduledAt: isMissingOr(Number.isSafeInteger),
    requestedBy: isMissingOr(isText),
    traceparent: isMissingOr(isText),
    spread: Number.isFinite,
    runAt: Number.isFinite,
};

/**
 * Tells what is wrong with a job in the queue: whoever can reach Redis can put anything there.
 *
 * @returns undefined: it is a row of ours
 */
export function faultOf(data: unknown, jobId: string | undefined): string | undefined {
    if (typeof data !== 'object' || data === null) return 'it is no object';
    const row = data as Record<string, unknown>;
    if (row['id'] !== jobId) return 'its `id` is not that of its job';
    const wrong = Object.entries(FORMS).find(([field, isIt]) => !isIt(row[field]));
    return wrong && `its \`${wrong[0]}\` is none`;
}

/** The name of a process's worker, as BullMQ has it. */
export function workerName({ host, pid }: Pick<Owner, 'host' | 'pid'>): string {
    return `${host}-${pid}`;
}

/** The process whose worker has a name. */
export function workerNamed(name: string | null | undefined): Pick<Owner, 'host' | 'pid'> {
    const [, host = '', pid] = /^(.*)-(\d+)$/.exec(name ?? '') ?? [];
    return { host, pid: Number(pid) };
}

/** What is remembered of a run. */
export function pastRunOf(run: Run, { host, pid }: Pick<Owner, 'host' | 'pid'>): PastRun {
    const { id, job, schedule, args, tenant, scheduledAt, manual, requestedBy } = run;
    const { attempt, startedAt = 0, endedAt, reason, error } = run;
    const outcome: PastRun['outcome'] = run.outcome ?? 'running';
    return Object.assign(
        { kind: 'run', id, job, schedule, args, tenant, scheduledAt, manual, requestedBy } as const,
        { attempt, startedAt, endedAt, lateBy: latenessOf(run), outcome, reason, host, pid },
        { error: error && `${error.name}: ${error.message}`, stack: error && traceOf(error) },
    );
}

/** The run of a row, as it is remembered. */
export function runOfPast(row: RedisRow, past: PastRun, file?: string | undefined): Run {
    const { attempt, startedAt, endedAt, reason, error: message, stack = '' } = past;
    const outcome = past.outcome === 'running' ? undefined : past.outcome;
    const error = message === undefined ? undefined : { name: 'Error', message, stack };
    return Object.assign(runOf(row, file), { attempt, startedAt, endedAt, outcome, reason, error });
}

/** Reads rows by their ids; null: it is none, or has ended. */
export async function readRows(connection: Connection, ids: readonly string[]): Promise<(RedisRow | null)[]> {
    if (ids.length === 0) return [];
    const texts = await connection.use((client, key) => client.hmget(key('rows'), ...ids));
    return texts.map((text) => JSON.parse(text ?? 'null') as RedisRow | null);
}

/** Reads an entry of history. */
export function readPast([, text = '{}']: readonly string[]): PastRun | PastSkips {
    return JSON.parse(text) as PastRun | PastSkips;
}

/**
 * What history is to say of a run in the queue that has ended, read from what BullMQ has kept.
 *
 * @param returned what it returned, as JSON
 * @param data its data, as JSON
 * @param by the name of its worker
 */
export function pastOfJob(
    row: RedisRow,
    returned: string | null,
    data: string | null,
    by: string | null,
): PastRun | undefined {
    const { ended } = JSON.parse(data || '{}') as { ended?: string };
    if (ended !== undefined) return JSON.parse(ended) as PastRun;
    const [startedAt, endedAt, attempt] = String(JSON.parse(returned || '""'))
        .split(' ')
        .map(Number);
    if (!attempt) return undefined;
    const run = Object.assign(runOf(row), { outcome: 'succeeded', startedAt, endedAt, attempt });
    return pastRunOf(run, workerNamed(by));
}
