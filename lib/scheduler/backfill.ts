import type { JobPlan } from '../jobs/job_plan.js';
import { type Run, slotKey } from '../runs/run.js';
import { findPlan, type RunRequest, runsFor, tenantsFor } from './requests.js';
import type { Runtime } from './runtime.js';

/** How many of a job's successful runs are searched for those of the slots. */
const MOST_LOOKED_AT = 100_000;

/** Somebody's wish to run a job's slots of a period. */
export interface BackfillRequest extends Pick<RunRequest, 'name' | 'args' | 'onlyTenant'> {
    /** Unix seconds, inclusive. */
    readonly from: number;
    /** Unix seconds, exclusive. */
    readonly to: number;
    /** Whether only slots that have no successful run are meant. */
    readonly isOnlyMissing: boolean;
}

/** What a backfill comes to. */
export interface Backfill {
    readonly plan: JobPlan;
    /** In order, each slot for each tenant. */
    readonly runs: readonly Run[];
    /** How many runs are left out, because they have already succeeded. */
    readonly succeeded: number;
}

/**
 * Finds the runs of a job's slots in a period, with the args of its schedules.
 *
 * @throws Error for an unknown job, one that cannot run, a tenant that it does not run for, and an unreadable history
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
    const missing = runs.filter((run) => !done.has(slotKey(run)));
    return { plan, runs: missing, succeeded: runs.length - missing.length };
}

function slotsIn({ schedules }: JobPlan, from: number, to: number): number[] {
    const slots = schedules.flatMap((schedule) => [...schedule.slots(from - 1, to)]);
    return [...new Set(slots)].sort((a, b) => a - b);
}

async function succeededRuns(job: string, runtime: Runtime): Promise<ReadonlySet<string>> {
    const history = await runtime.engine.history(runtime);
    const past = await history
        .search(job, { outcome: 'succeeded' }, MOST_LOOKED_AT)
        .finally(() => history.close());
    return new Set(past.flatMap((one) => (one.kind === 'run' ? [slotKey(one)] : [])));
}
