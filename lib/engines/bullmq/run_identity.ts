import { createHash } from 'node:crypto';
import { laneOf, type Run } from '../../runs/run.js';
import type { Owner } from '../owner.js';

/**
 * What stands for a lane in names of keys.
 *
 * @param run job, args and tenant
 */
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
export function identityOf(
    {
        job,
        args,
        tenant,
        schedule,
        ...rest
    }: Pick<Run, 'job' | 'args' | 'tenant' | 'schedule'> & Partial<Run>,
    { host, pid }: Owner,
): string {
    const { scheduledAt, manual } = rest;
    return JSON.stringify({ job, schedule, args, tenant, scheduledAt, manual, host, pid });
}

/** The run that was kept, without an ending. */
export function runOf(id: string, what: string, attempt: number, startedAt: number): Run {
    const identity = JSON.parse(what) as Pick<
        Run,
        'job' | 'args' | 'tenant' | 'schedule' | 'scheduledAt' | 'manual'
    >;
    const ending = { endedAt: undefined, outcome: undefined, reason: undefined, error: undefined };
    const { job, args, tenant, schedule, scheduledAt, manual } = identity;
    return {
        id,
        job,
        args,
        tenant,
        schedule,
        scheduledAt,
        manual,
        file: undefined,
        attempt,
        startedAt,
        ...ending,
    };
}
