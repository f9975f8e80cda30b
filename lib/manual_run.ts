import type { ActiveRun } from './active_run.js';
import { readArgs } from './args.js';
import { BackgroundJob } from './background_job.js';
import { formatDuration } from './duration.js';
import { brokenFileProblems, type JobPlan } from './job_plan.js';
import { createRun, type Run, type TenantId } from './run.js';
import type { RunsInFlight } from './runs_in_flight.js';
import { didYouMean } from './suggestion.js';
import { hasTenantsTable, type Tenancy, tenancyOf } from './tenants.js';

/** Somebody's wish to run a job now. */
export interface RunRequest {
    /** The job's name, in any spelling. */
    readonly name: string;
    /** JSON values. */
    readonly args: readonly unknown[];
    /** The tenant whose workspace asks; undefined: none. */
    readonly tenant: TenantId | undefined;
}

/**
 * Runs one job now, for each of its tenants one after another; one tenant's failure does not skip the next.
 *
 * @param request what to run
 * @param plans the jobs there are
 * @param inFlight sees the runs through
 * @param now the time in unix milliseconds
 * @returns a promise of the runs
 * @throws Error for an unknown name, a job that cannot run, and a busy lane; BadScheduleError for args that are no
 * JSON; what the job failed with; an AggregateError where it failed for several tenants
 */
export async function runJobNow(
    request: RunRequest,
    plans: readonly JobPlan[],
    inFlight: RunsInFlight,
    now: () => number,
): Promise<Run[]> {
    const plan = findPlan(request.name, plans);
    const args = readArgs(request.args);
    const tenants = await tenantsFor(plan, request.tenant);
    const runs: Run[] = [];
    const failures: Error[] = [];
    for (const tenant of tenants) {
        const run = createRun({
            job: plan.name,
            file: plan.file,
            args,
            tenant,
            scheduledAt: undefined,
            manual: true,
        });
        const active = inFlight.activate(run, plan, {});
        const busy = describeWait(active, inFlight, now);
        if (!busy.endless) await inFlight.perform(active);
        runs.push(run);
        const failure = busy.endless ? new Error(busy.endless) : failureOf(run, busy.behind);
        if (failure) failures.push(failure);
    }
    const [first] = failures;
    if (failures.length > 1) throw severalFailed(plan, runs, failures);
    if (first) throw first;
    return runs;
}

function findPlan(name: string, plans: readonly JobPlan[]): JobPlan {
    const wanted = BackgroundJob.normalizeName(name);
    const plan = plans.find((candidate) => candidate.name === wanted);
    const [problem] = [...brokenFileProblems(), ...(plan?.problems ?? [])].filter(
        ({ job }) => job === wanted,
    );
    if (plan?.runnable) return plan;
    if (problem) {
        const place = problem.file === undefined ? '' : ` (${problem.file})`;
        throw new Error(`The background job "${wanted}" cannot run${place}: ${problem.reason}`);
    }
    const names = plans.map((candidate) => candidate.name);
    throw new Error(`There is no background job "${name}"${didYouMean(wanted, names)}.`);
}

async function tenantsFor(
    plan: JobPlan,
    asking: TenantId | undefined,
): Promise<readonly (TenantId | undefined)[]> {
    if (asking !== undefined && plan.settings.multiTenant !== false && (await hasTenantsTable()))
        return [asking];
    const tenancy: Tenancy = await tenancyOf(plan.settings);
    if (tenancy.kind === 'single') return [undefined];
    if (tenancy.kind === 'tenants') return tenancy.ids;
    throw new Error(
        `The background job "${plan.name}" runs once for each tenant (multiTenant: true), and the app has no tenants table.`,
    );
}

// A run that asks for its own lane, by itself or through another, would wait for itself for ever.
function describeWait(
    active: ActiveRun,
    inFlight: RunsInFlight,
    now: () => number,
): { endless?: string; behind?: string } {
    const holder = inFlight.lanes.holderOf(active.lane);
    if (!holder) return {};
    if (active.descendsFrom(holder.active)) {
        return {
            endless: `The background job "${active.run.job}" cannot run from within itself: it would wait for itself.`,
        };
    }
    return { behind: `its last run has been going on for ${formatDuration(now() - holder.since)}` };
}

const REFUSALS: Record<string, string> = {
    overlap: 'another process is running it',
    'no journal': 'what remembers its runs cannot be reached',
};

function failureOf(run: Run, behind: string | undefined): Error | undefined {
    if (run.outcome === 'succeeded') return undefined;
    if (run.outcome === 'skipped') {
        return new Error(
            `The background job "${run.job}" did not run: ${behind ?? REFUSALS[run.reason ?? ''] ?? `it was skipped (${run.reason})`}.`,
        );
    }
    if (run.outcome === 'aborted')
        return new Error(`The background job "${run.job}" was aborted (${run.reason}).`);
    return run.error;
}

function severalFailed(plan: JobPlan, runs: readonly Run[], failures: readonly Error[]): AggregateError {
    const failed = runs.filter(({ outcome }) => outcome !== 'succeeded').map(({ tenant }) => tenant);
    return new AggregateError(
        failures,
        `The background job "${plan.name}" failed for ${failed.length} of ${runs.length} tenants: ${failed.join(', ')}.`,
    );
}
