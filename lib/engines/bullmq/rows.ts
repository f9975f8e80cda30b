import { createHash } from 'node:crypto';
import type { OverlapPolicy } from '../../jobs/settings.js';
import type { PastRun, PastSkips } from '../../runs/history.js';
import { createRun, laneOf, latenessOf, type Run, type TenantId } from '../../runs/run.js';
import type { Json } from '../../schedule/args.js';
import type { MissedPolicy } from '../../schedule/missed.js';
import { traceOf } from '../../text/errors.js';
import type { Owner } from '../owner.js';

/** The name of the queue; BullMQ puts the prefix in front. */
export const QUEUE = 'runs';

/** Why a run is lost. */
export const PROCESS_DIED = 'its process died';

/** A run from when it is due until it has ended, as Redis and BullMQ's job have it. */
export interface RedisRow {
    readonly id: string;
    readonly kind: 'run' | 'slot';
    readonly origin: 'schedule' | 'waiter' | 'later';
    readonly lane: string;
    readonly overlap: OverlapPolicy;
    readonly missed: MissedPolicy;
    readonly catchesUp: boolean;
    /** Of those of its job with this key, one waits. */
    readonly key?: string | undefined;
    /** Unix milliseconds. */
    readonly runAt: number;
    /** Milliseconds. */
    readonly spread: number;
    /** Whether it does not start while its job is paused. */
    readonly heedsPauses: boolean;
    readonly retries: number;
    readonly job: string;
    readonly schedule: string | null;
    readonly args: readonly Json[];
    readonly tenant: TenantId | null;
    /** Unix seconds. */
    readonly slot: number | null;
    /** Who asked for it. */
    readonly requestedBy?: string | undefined;
    /** The span in which somebody asked for it. */
    readonly traceparent?: string | undefined;
    /** The process that waits for it, or has recorded it. */
    readonly process: string;
}

/** What a row is made of, beside its run. */
export type RowParts = Pick<
    RedisRow,
    'kind' | 'origin' | 'overlap' | 'missed' | 'catchesUp' | 'runAt' | 'heedsPauses' | 'retries' | 'key'
>;

/** A lane, in a key. */
export function laneKey(kind: RedisRow['kind'], run: Pick<Run, 'job' | 'args' | 'tenant'>): string {
    const hash = createHash('sha1').update(`${kind} ${laneOf(run)}`);
    return hash.digest('base64url').slice(0, 20);
}

/** The row of a run. */
export function rowOf(run: Run, parts: RowParts, owner: Owner): RedisRow {
    const { job, schedule = null, args, tenant = null, scheduledAt: slot = null, spread } = run;
    const { requestedBy, traceparent } = run;
    const lane = laneKey(parts.kind, run);
    const id = parts.origin === 'schedule' ? `${slot}-${lane}` : run.id;
    const known = { id, lane, job, schedule, args, tenant, slot, spread, requestedBy, traceparent };
    return { ...parts, ...known, process: owner.id };
}

/** Whether a row keeps its lane: runs that may overlap do not, unless they catch up, one after another. */
export function holdsLane({ overlap, catchesUp }: Pick<RedisRow, 'overlap' | 'catchesUp'>): boolean {
    return overlap !== 'allow' || catchesUp;
}

/** A row as its lane's list has it: `f`: a schedule made it, `c`: it catches up, `m`: somebody asked for it; its slot; its id. */
export function memberOf({ catchesUp, origin, slot, id }: RedisRow): string {
    return `${catchesUp ? 'c' : origin === 'schedule' ? 'f' : 'm'} ${slot ?? 0} ${id}`;
}

/** The id of a lane's member. */
export function idOf(member: string): string {
    return member.split(' ').at(-1) ?? '';
}

/** The run of a row. */
export function runOf(row: RedisRow, file: string | undefined): Run {
    const { id, job, args, origin } = row;
    return createRun({
        id,
        job,
        file,
        args,
        schedule: row.schedule ?? undefined,
        tenant: row.tenant ?? undefined,
        scheduledAt: row.slot ?? undefined,
        spread: row.spread,
        manual: origin !== 'schedule',
        requestedBy: row.requestedBy,
        traceparent: row.traceparent,
    });
}

/**
 * Tells what is wrong with a job in the queue: whoever can reach Redis can put anything there.
 *
 * @returns undefined: it is a row of ours
 */
export function faultOf(data: unknown, jobId: string | undefined): string | undefined {
    if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'it is no object';
    const row = data as Partial<Record<keyof RedisRow, unknown>>;
    if (row.id !== jobId) return 'its `id` is not that of its job';
    for (const name of ['lane', 'job', 'process'] as const)
        if (typeof row[name] !== 'string' || row[name] === '') return `its \`${name}\` is no text`;
    if (row.kind !== 'run' && row.kind !== 'slot') return 'its `kind` is none';
    if (row.origin !== 'schedule' && row.origin !== 'later') return 'its `origin` is none';
    if (row.schedule !== null && typeof row.schedule !== 'string') return 'its `schedule` is no text';
    if (!Array.isArray(row.args)) return 'its `args` are no array';
    if (row.tenant !== null && typeof row.tenant !== 'string' && !Number.isFinite(row.tenant))
        return 'its `tenant` is neither a text nor a number';
    if (row.slot !== null && !Number.isSafeInteger(row.slot)) return 'its `slot` is no unix second';
    for (const name of ['requestedBy', 'traceparent'] as const)
        if (row[name] !== undefined && typeof row[name] !== 'string') return `its \`${name}\` is no text`;
    if (!Number.isFinite(row.spread)) return 'its `spread` is no length of time';
    return Number.isFinite(row.runAt) ? undefined : 'its `runAt` is no time';
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
    const { id, job, schedule, args, tenant, scheduledAt, manual, requestedBy, attempt } = run;
    const { startedAt = 0, endedAt, error, reason, outcome = 'running' } = run;
    return {
        kind: 'run',
        id,
        job,
        schedule,
        args,
        tenant,
        scheduledAt,
        manual,
        requestedBy,
        attempt,
        startedAt,
        endedAt,
        lateBy: latenessOf(run),
        outcome,
        reason,
        error: error && `${error.name}: ${error.message}`,
        stack: error && traceOf(error),
        host,
        pid,
    };
}

/** Reads an entry of history. */
export function readPast([kind, text = '{}', ...fields]: readonly string[]): PastRun | PastSkips {
    if (kind === 'run') return JSON.parse(text) as PastRun;
    const [, reason = '', , first, , last, , count, , atLeast] = fields;
    return {
        ...(JSON.parse(text) as PastSkips),
        kind: 'skips',
        reason,
        first: Number(first),
        last: Number(last),
        count: Number(count),
        atLeast: atLeast === '1',
    };
}

/** What skipped slots have in common, as history has it. */
export function pastOf(
    { job, schedule, args, tenant }: Pick<RedisRow, 'job' | 'schedule' | 'args' | 'tenant'>,
    { host, pid }: Pick<Owner, 'host' | 'pid'>,
): string {
    const of = { job, schedule: schedule ?? undefined, args, tenant: tenant ?? undefined };
    return JSON.stringify({ ...of, host, pid });
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
): string | undefined {
    const { ended } = JSON.parse(data || '{}') as { ended?: string };
    const [startedAt, endedAt, attempt] = String(JSON.parse(returned || '""'))
        .split(' ')
        .map(Number);
    if (ended !== undefined || !attempt) return ended;
    const run = Object.assign(runOf(row, undefined), { outcome: 'succeeded', startedAt, endedAt, attempt });
    return JSON.stringify(pastRunOf(run, workerNamed(by)));
}
