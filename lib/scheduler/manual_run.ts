import type { Run } from '../runs/run.js';
import { formatDuration } from '../time/duration.js';
import { findPlan, type ManualRun, type RunRequest, runsFor } from './run_request.js';
import type { Runtime } from './runtime.js';

const REFUSALS: Record<string, string> = {
    overlap: 'another process is running it',
    'journal locked': 'another process keeps the journal locked',
    'no journal': 'what remembers its runs cannot be reached',
};

/**
 * Runs one job now, for each of its tenants one after another; one tenant's failure does not skip the next.
 *
 * @returns a promise of the runs, when all are over; it does not reject because a job failed
 * @throws Error for an unknown name and a job that cannot run; and as `runsFor` does
 */
export async function runJobNow(request: RunRequest, runtime: Runtime): Promise<ManualRun[]> {
    const { plans } = await runtime.ready();
    const { inFlight, clock } = runtime;
    const plan = findPlan(request.name, plans);
    const runs = await runsFor(request, plan);
    request.begin?.(runs);
    const over: ManualRun[] = [];
    for (const run of runs) {
        const active = inFlight.activate(run, plan, { interrupt: request.signal });
        const holder = inFlight.lanes.holderOf(active.lane);
        if (holder && active.descendsFrom(holder.active)) {
            const endless = `The background job "${run.job}" cannot run from within itself: it would wait for itself.`;
            over.push({ run, failure: new Error(endless) });
            continue;
        }
        const since = holder && formatDuration(clock.now() - holder.since);
        await inFlight.perform(active);
        over.push({ run, failure: failureOf(run, since && `its last run has been going on for ${since}`) });
    }
    return over;
}

/** Throws the one failure among the runs of a request, or an AggregateError that names the tenants of several. */
export function throwFailures(over: readonly ManualRun[]): void {
    const failed = over.filter(({ failure }) => failure);
    const [first] = failed;
    if (!first) return;
    if (failed.length === 1) throw first.failure;
    const tenants = failed.map(({ run }) => run.tenant).join(', ');
    throw new AggregateError(
        failed.map(({ failure }) => failure),
        `The background job "${first.run.job}" failed for ${failed.length} of ${over.length} tenants: ${tenants}.`,
    );
}

function failureOf({ job, outcome, reason, error }: Run, behind: string | undefined): Error | undefined {
    if (outcome === 'succeeded') return undefined;
    if (outcome === 'aborted') return new Error(`The background job "${job}" was aborted (${reason}).`);
    if (outcome !== 'skipped') return error;
    const why = behind ?? REFUSALS[reason ?? ''] ?? `it was skipped (${reason})`;
    return new Error(`The background job "${job}" did not run: ${why}.`);
}
