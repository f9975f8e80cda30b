import {
    type JobStatus,
    lastRequestOf,
    MOST_OF_REQUEST,
    type PastRun,
    type PastSkips,
} from '../../runs/history.js';
import { latenessOf, type Outcome } from '../../runs/run.js';
import { isGone } from '../owner.js';
import type { Database, Row, SqlValue } from './database.js';
import { whatRan } from './rows.js';

// A slot stands for its tenants, unless it has failed.
export const LISTED = `started_at IS NOT NULL AND (kind = 'run' OR state IN ('failed', 'timed_out', 'aborted', 'lost'))`;

export const RUN = `SELECT id, job, schedule, args, tenant, slot, origin, requested_by, state, attempt, started_at, ended_at, reason, error, stack, spread,
    host, pid, (SELECT place FROM bot_processes WHERE bot_processes.id = bot_runs.process) AS place FROM bot_runs`;

export const SKIPS =
    'SELECT job, schedule, args, tenant, reason, first, last, count, at_least, host, pid FROM bot_skips';

function rows(database: Database, condition: string, ...values: SqlValue[]): PastRun[] {
    return database.statement(`${RUN} WHERE ${condition}`).all(values).map(pastRunOf);
}

/** How a job is doing; undefined: nothing is known of it. */
export function statusOf(database: Database, job: string): JobStatus | undefined {
    // Told to, the planner takes this index; it would look through all of the job's runs otherwise.
    const unfinished = database
        .statement(
            `${RUN} INDEXED BY bot_unfinished WHERE job = ? AND ended_at IS NULL AND kind = 'run' AND attempt > 0`,
        )
        .all([job])
        .map(pastRunOf);
    const running = unfinished.filter(({ outcome }) => outcome === 'running');
    const lost = unfinished.filter(({ outcome }) => outcome === 'lost');
    const newestFirst = (a: PastRun, b: PastRun) => b.startedAt - a.startedAt;
    const ended = (origin: string, most: number) =>
        rows(
            database,
            `job = ?1 AND ended_at IS NOT NULL AND ${LISTED} AND origin ${origin}
            ORDER BY seq DESC LIMIT ${most}`,
            job,
        );
    const [newest] = [...ended("= 'schedule'", 1), ...lost.filter(({ manual }) => !manual)].sort(newestFirst);
    // Only what began after the last slot counts: an older row may have waited until then, but hardly so long.
    const recent = `<> 'schedule' AND seq > coalesce((SELECT seq FROM bot_runs WHERE job = ?1 AND origin = 'schedule'
        AND ended_at IS NOT NULL ORDER BY seq DESC LIMIT 1), 0) - 5000`;
    const manual = [...ended(recent, MOST_OF_REQUEST), ...lost.filter((run) => run.manual)];
    const byHand = lastRequestOf(manual.sort(newestFirst), newest?.startedAt ?? 0);
    const siblings =
        newest?.scheduledAt === undefined
            ? []
            : rows(
                  database,
                  `job = ? AND seq > coalesce((SELECT max(seq) FROM bot_runs WHERE job = ?1), 0) - 5000
                  AND slot = ? AND origin = 'schedule' AND ended_at IS NOT NULL AND ${LISTED}`,
                  job,
                  newest.scheduledAt,
              ).filter(({ id }) => id !== newest.id);
    const skips = database.statement(`${SKIPS} WHERE job = ? ORDER BY last DESC LIMIT 1`).get([job]);
    const skipped = skips && skipsOf(skips);
    if (!newest && !skipped && running.length === 0 && byHand.length === 0) return undefined;
    return { running, byHand, ended: newest ? [newest, ...siblings] : [], skipped };
}

export function pastRunOf(row: Row): PastRun {
    const state = row['state'] as string;
    const endedAt = (row['ended_at'] as number | null) ?? undefined;
    const slot = (row['slot'] as number | null) ?? undefined;
    const startedAt = row['started_at'] as number;
    const place = row['place'] as string | null;
    // What waits for its next attempt is any process's.
    const isItsProcess = state === 'running' || row['origin'] === 'waiter';
    const isUnended = endedAt === undefined && isItsProcess;
    const isLost = isUnended && place !== null && isGone({ place, pid: row['pid'] as number });
    return {
        kind: 'run',
        ...whoRan(row),
        id: row['id'] as string,
        scheduledAt: slot,
        manual: row['origin'] !== 'schedule',
        requestedBy: (row['requested_by'] as string | null) ?? undefined,
        attempt: row['attempt'] as number,
        startedAt,
        endedAt,
        lateBy: latenessOf({ scheduledAt: slot, startedAt, spread: row['spread'] as number }),
        outcome: isLost ? 'lost' : endedAt === undefined ? 'running' : (state as Outcome),
        reason: isLost ? 'its process is gone' : ((row['reason'] as string | null) ?? undefined),
        error: (row['error'] as string | null) ?? undefined,
        stack: (row['stack'] as string | null) ?? undefined,
    };
}

function whoRan(row: Row) {
    return { ...whatRan(row), host: row['host'] as string, pid: row['pid'] as number };
}

export function skipsOf(row: Row): PastSkips {
    return {
        kind: 'skips',
        ...whoRan(row),
        reason: row['reason'] as string,
        first: row['first'] as number,
        last: row['last'] as number,
        count: row['count'] as number,
        atLeast: row['at_least'] === 1,
    };
}
