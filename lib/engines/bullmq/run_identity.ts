import { createHash } from 'node:crypto';
import { createRun, laneOf, type Run } from '../../runs/run.js';
import type { Owner } from '../owner.js';

type Identity = Pick<Run, 'job' | 'args' | 'tenant' | 'schedule'> &
    Partial<Pick<Run, 'scheduledAt' | 'manual'>>;

/** What stands for a run's lane in names of keys. */
export function laneKey(run: Pick<Run, 'job' | 'args' | 'tenant'>): string {
    return hash(laneOf(run));
}

/** A short name for a long text. */
export function hash(text: string): string {
    return createHash('sha256').update(text).digest('base64url').slice(0, 27);
}

/** A truth, as scripts read it. */
export function flag(value: boolean | undefined): string {
    return value ? '1' : '';
}

/** What a run, or skipped slots, are of, as it is kept; and who has recorded it. */
export function identityOf(of: Identity, { host, pid }: Owner): string {
    const { job, schedule, args, tenant, scheduledAt, manual } = of;
    return JSON.stringify({ job, schedule, args, tenant, scheduledAt, manual, host, pid });
}

/** The run that was kept, without an ending. */
export function runOf(id: string, what: string, attempt: number, startedAt: number): Run {
    return createRun({ ...(JSON.parse(what) as Identity), id, attempt, startedAt });
}
