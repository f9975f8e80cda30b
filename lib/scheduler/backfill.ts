import type { JobPlan } from '../jobs/job_plan.js';
import { laneOf, type Run } from '../runs/run.js';
import { findPlan, type RunRequest, runsFor, tenantsFor } from './requests.js';
import type { Runtime } from './runtime.js';

/** Among as many of a job's successful runs those of the slots are looked for. */
const MOST_LOOKED_AT = 100_000;

/** Somebody's wish to run the slots of a stretch of time. */
export interface BackfillRequest extends Pick<RunRequest, 'name' | 'args' | 'onlyTenant'> {
    /** Unix seconds: it is in the stretch. */
    readonly from: number;
    /** Unix seconds: it is not. */
    readonly to: number;
    /** Whether only slots that have no successful run are meant. */
    readonly isOnlyMissing: boolean;
}

/** What a backfill comes to. */
export interface Backfill {
    readonly plan: JobPlan;
    /** In order, each slot for each tenant. */
    readonly runs: readonly Run[];
    /** How many of the stretch are left out, because they have succeeded. */
    readonly succeeded: number;
}

/**
 * Finds the runs of a job's slots in a stretch of time, with the args that its schedules have.
 *
 * @throws Error for an unknown job, one that cannot run, a tenant that it does not run for, and a history that cannot be read
 */
export async function planBackfill(request: BackfillRequest, runtime: Runtime): Promise<Backfill> {
    const { name, from, to, isOnlyMissing } = request;
    const { plans } = await runtime.ready();
    const plan = findPlan(name, plans);
    const tenants = await tenantsFor(request, plan);
    const runs: Run[] = [];
    for (const slot of slotsIn(plan, from, to))
        runs.push(...(await runsFor({ ...request, slot }, plan, tenants)));
    if (!isOnlyMissing) return { plan, runs, succeeded: 0 };
    const done = await succeededRuns(plan.name, runtime);
    const missing = runs.filter((run) => !done.has(keyOf(run)));
    return { plan, runs: missing, succeeded: runs.length - missing.length };
}

function slotsIn({ schedules }: JobPlan, from: number, to: number): number[] {
    const slots = new Set<number>();
    for (const schedule of schedules)
        for (let slot = schedule.next(from - 1); slot !== undefined && slot < to; slot = schedule.next(slot))
            slots.add(slot);
    return [...slots].sort((a, b) => a - b);
}

async function succeededRuns(job: string, runtime: Runtime): Promise<ReadonlySet<string>> {
    const history = await runtime.engine.history(runtime);
    const past = await history
        .search(job, { outcome: 'succeeded' }, MOST_LOOKED_AT)
        .finally(() => history.close());
    return new Set(past.flatMap((one) => (one.kind === 'run' ? [keyOf(one)] : [])));
}

function keyOf(run: Pick<Run, 'job' | 'args' | 'tenant' | 'scheduledAt'>): string {
    return `${laneOf(run)} ${run.scheduledAt}`;
}
