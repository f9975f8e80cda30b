import type { JobPlan } from '../jobs/job_plan.js';
import type { ActiveRun } from '../runs/active_run.js';
import type { RunsInFlight } from '../runs/runs_in_flight.js';
import { formatDuration } from '../time/duration.js';
import { findPlan, type ManualRun, type RunRequest, runsFor } from './run_request.js';

/**
 * Runs one job now, for each of its tenants one after another; one tenant's failure does not skip the next.
 *
 * @param request what to run
 * @param plans the jobs there are
 * @param inFlight sees the runs through
 * @param now the time in unix milliseconds
 * @returns a promise of the runs, when all are over; it does not reject because a job failed
 * @throws Error for an unknown name and a job that cannot run; and as `runsFor` does
 */
export async function runJobNow(
    request: RunRequest,
    plans: readonly JobPlan[],
    inFlight: RunsInFlight,
    now: () => number,
): Promise<ManualRun[]> {
    const plan = findPlan(request.name, plans);
    const runs = await runsFor(request, plan);
    request.begin?.(runs);
    const over: ManualRun[] = [];
    for (const run of runs) {
        const active = inFlight.activate(run, plan, { interrupt: request.signal });
        const busy = describeWait(active, inFlight, now);
        if (!busy.endless) await inFlight.perform(active);
        over.push({ run, failure: busy.endless ? new Error(busy.endless) : failureOf(active, busy.behind) });
    }
    return over;
}

/**
 * Throws what runs did not succeed with.
 *
 * @param over the runs of one request
 * @throws the one failure; an AggregateError that names the tenants, where there are several
 */
export function throwFailures(over: readonly ManualRun[]): void {
    const failed = over.filter(({ failure }) => failure);
    const [first] = failed;
    if (first && failed.length === 1) throw first.failure;
    if (!first) return;
    const tenants = failed.map(({ run }) => run.tenant).join(', ');
    throw new AggregateError(
        failed.map(({ failure }) => failure),
        `The background job "${first.run.job}" failed for ${failed.length} of ${over.length} tenants: ${tenants}.`,
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
    'journal locked': 'another process keeps the journal locked',
    'no journal': 'what remembers its runs cannot be reached',
};

function failureOf({ run, thrown }: ActiveRun, behind: string | undefined): Error | undefined {
    if (run.outcome === 'succeeded') return undefined;
    if (run.outcome === 'skipped') {
        return new Error(
            `The background job "${run.job}" did not run: ${behind ?? REFUSALS[run.reason ?? ''] ?? `it was skipped (${run.reason})`}.`,
        );
    }
    if (run.outcome === 'aborted')
        return new Error(`The background job "${run.job}" was aborted (${run.reason}).`);
    return thrown;
}
