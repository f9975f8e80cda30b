import { existsSync } from 'node:fs';
import {
    type History,
    type JobStatus,
    lastRequestOf,
    MOST_OF_REQUEST,
    type PastRun,
    type PastSkips,
    timeOf,
} from '../../runs/history.js';
import type { Outcome } from '../../runs/run.js';
import { isGone } from '../owner.js';
import { Database, type Row, type SqlValue } from './database.js';
import { kindOf } from './failure.js';
import { pausedJobs } from './pauses.js';
import { identityIn } from './runs.js';
import { canClaim } from './schema.js';

const RUN = `SELECT id, job, schedule, args, tenant, scheduled_at, claim, attempt, started_at, late_by, ended_at, outcome,
    reason, error, stack, host, pid FROM runs`;
const SKIPS =
    'SELECT job, schedule, args, tenant, reason, first, last, count, at_least, host, pid FROM skips';

/** The history of a journal. */
export class JournalHistory implements History {
    /**
     * @param isShared whether other processes write to the journal, too
     * @param read reads from the journal; undefined: there is none
     * @param release called when it is not needed any more
     */
    constructor(
        readonly isShared: boolean,
        private readonly read: (<T>(work: (database: Database) => T) => Promise<T>) | undefined,
        private readonly release: () => void = () => {},
    ) {}

    /**
     * Opens a journal's file for reading, whoever writes it; where there is no file, the history is empty.
     *
     * @throws Error where it cannot be read, or is none of this release
     */
    static open(path: string): JournalHistory {
        if (!existsSync(path)) return new JournalHistory(true, undefined);
        const readable = <T>(work: () => T): T => {
            try {
                return work();
            } catch (error) {
                throw unreadable(path, error);
            }
        };
        const database = readable(() => new Database(path));
        try {
            const version = readable(() => {
                database.exec('PRAGMA query_only = ON');
                if (database.version === 0 || canClaim(database.version)) return database.version;
                throw new Error('another release of pinstripe-bot has made it');
            });
            const read = async <T>(work: (database: Database) => T) => readable(() => work(database));
            return new JournalHistory(true, version === 0 ? undefined : read, () => database.close());
        } catch (error) {
            database.close();
            throw error;
        }
    }

    async statusOf(jobs: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
        const statuses = new Map<string, JobStatus>();
        await this.read?.((database) => {
            for (const job of jobs) {
                const status = statusOf(database, job);
                if (status) statuses.set(job, status);
            }
        });
        return statuses;
    }

    async of(job: string, most: number): Promise<readonly (PastRun | PastSkips)[]> {
        const past = await this.read?.((database) => [
            ...database
                .statement(`${RUN} WHERE job = ? ORDER BY started_at DESC LIMIT ?`)
                .all([job, most])
                .map(runOf),
            ...database
                .statement(`${SKIPS} WHERE ${LANES_OF_JOB} ORDER BY last DESC LIMIT ?`)
                .all([...lanesOf(job), most])
                .map(skipsOf),
        ]);
        return (past ?? []).sort((a, b) => timeOf(b) - timeOf(a)).slice(0, most);
    }

    async pausedJobs(): Promise<readonly string[]> {
        return [...((await this.read?.(pausedJobs)) ?? [])];
    }

    async close(): Promise<void> {
        this.release();
    }
}

// A lane begins with its job's name and a space: with this the index by lane finds the rows of a job.
const LANES_OF_JOB = 'lane >= ? AND lane < ?';

function lanesOf(job: string): [string, string] {
    return [`${job} `, `${job}!`];
}

function statusOf(database: Database, job: string): JobStatus | undefined {
    const rows = (condition: string, ...values: SqlValue[]) =>
        database.statement(`${RUN} WHERE ${condition}`).all(values).map(runOf);
    const unfinished = rows(`outcome IS NULL AND ${LANES_OF_JOB}`, ...lanesOf(job));
    const running = unfinished.filter(({ outcome }) => outcome === 'running');
    const lost = unfinished.filter(({ outcome }) => outcome === 'lost');
    const newestFirst = (a: PastRun, b: PastRun) => b.startedAt - a.startedAt;
    const ended = (claimed: string, most: number) =>
        rows(`job = ? AND outcome IS NOT NULL AND ${claimed} ORDER BY started_at DESC LIMIT ${most}`, job);
    const [newest] = [...ended('claim IS NOT NULL', 1), ...lost.filter(({ manual }) => !manual)].sort(
        newestFirst,
    );
    const manual = [...ended('claim IS NULL', MOST_OF_REQUEST), ...lost.filter((run) => run.manual)];
    const byHand = lastRequestOf(manual.sort(newestFirst), newest?.startedAt ?? 0);
    const siblings =
        newest?.scheduledAt === undefined
            ? []
            : rows(
                  `${LANES_OF_JOB} AND scheduled_at = ? AND claim IS NOT NULL`,
                  ...lanesOf(job),
                  newest.scheduledAt,
              ).filter(({ id, outcome }) => id !== newest.id && outcome !== 'running');
    const [skipped] = database
        .statement(`${SKIPS} WHERE ${LANES_OF_JOB} ORDER BY last DESC LIMIT 1`)
        .all(lanesOf(job))
        .map(skipsOf);
    if (!newest && !skipped && running.length === 0 && byHand.length === 0) return undefined;
    return { running, byHand, ended: newest ? [newest, ...siblings] : [], skipped };
}

function runOf(row: Row): PastRun {
    const { host, pid } = whatRan(row);
    const isLost = row['outcome'] === null && isGone({ host, pid });
    return {
        kind: 'run',
        ...whatRan(row),
        id: row['id'] as string,
        scheduledAt: (row['scheduled_at'] as number | null) ?? undefined,
        manual: row['claim'] === null,
        attempt: row['attempt'] as number,
        startedAt: row['started_at'] as number,
        endedAt: (row['ended_at'] as number | null) ?? undefined,
        lateBy: (row['late_by'] as number | null) ?? 0,
        outcome: isLost ? 'lost' : ((row['outcome'] as Outcome | null) ?? 'running'),
        reason: isLost ? 'its process is gone' : ((row['reason'] as string | null) ?? undefined),
        error: (row['error'] as string | null) ?? undefined,
        stack: (row['stack'] as string | null) ?? undefined,
    };
}

function skipsOf(row: Row): PastSkips {
    return {
        kind: 'skips',
        ...whatRan(row),
        reason: row['reason'] as string,
        first: row['first'] as number,
        last: row['last'] as number,
        count: row['count'] as number,
        atLeast: row['at_least'] === 1,
    };
}

function whatRan(row: Row): Pick<PastRun, 'job' | 'schedule' | 'args' | 'tenant' | 'host' | 'pid'> {
    return { ...identityIn(row), host: row['host'] as string, pid: row['pid'] as number };
}

function unreadable(path: string, error: unknown): Error {
    const why = kindOf(error) === 'locked' ? 'another process keeps it locked' : (error as Error).message;
    return new Error(`The journal ${path} cannot be read: ${why}`, { cause: error });
}
