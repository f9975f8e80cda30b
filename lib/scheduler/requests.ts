import type { JobPlan } from '../jobs/job_plan.js';
import { createRun, isFirst, laneOf, type Run } from '../runs/run.js';
import { tenancyOf } from '../runs/tenants.js';
import type { Asking } from '../runs/worker.js';
import type { Schedule } from '../schedule/schedule.js';
import { messageOf } from '../text/errors.js';
import { formatDuration } from '../time/duration.js';
import { findPlan, type ManualRun, type RunRequest, runsFor } from './run_request.js';
import type { Runtime } from './runtime.js';

/**
 * Runs one job now, for each of its tenants one after another; one tenant's failure does not skip the next.
 *
 * @returns a promise of the runs, when all are over; it does not reject because a job failed
 * @throws Error for an unknown name and a job that cannot run; and as `runsFor` does
 */
export async function runJobNow(request: RunRequest, runtime: Runtime): Promise<ManualRun[]> {
    const { plans } = await runtime.ready();
    const plan = findPlan(request.name, plans);
    const runs = await runsFor(request, plan);
    request.begin?.(runs);
    const over: ManualRun[] = [];
    for (const run of runs) {
        const holder = runtime.worker.holderOf(laneOf(run));
        if (holder?.isAsking && plan.settings.overlap !== 'allow') {
            const endless = `The background job "${run.job}" cannot run from within itself: it would wait for itself.`;
            over.push({ run, failure: new Error(endless) });
            continue;
        }
        const since = holder && formatDuration(holder.active.age(runtime.clock.now()));
        const { isForced, signal } = request;
        const thrown = await execute({ run, isForced }, plan, runtime, { signal });
        over.push({ run, failure: failureOf(run, thrown.of, since) });
    }
    return over;
}

/** A run that is about to be asked for. */
interface Planned extends Asking {
    readonly run: Run;
}

let nextBatch = -2;

/**
 * Runs what is due at exactly one second: in order, and by turns as in a second of the clock.
 *
 * @returns a promise of the runs, when all are over
 */
export async function runSecond(second: number, runtime: Runtime, signal?: AbortSignal): Promise<Run[]> {
    const catalog = await runtime.ready();
    const runs: Run[] = [];
    const over: Promise<unknown>[] = [];
    const seen = new Set<string>();
    // Turns are taken with one another, and with nobody else.
    const batch = nextBatch--;
    for (const schedule of catalog.timetable.peek(second)) {
        const plan = catalog.plan(schedule.job) as JobPlan;
        for (const planned of await runsOf(schedule, plan, second, runtime)) {
            const { run } = planned;
            if (!isFirst(run, seen)) continue;
            runs.push(run);
            if (run.outcome === undefined) over.push(execute(planned, plan, runtime, { signal, batch }));
            else runtime.emit({ type: 'run-ended', run });
        }
    }
    await Promise.all(over);
    return runs;
}

async function runsOf(
    { args, text }: Schedule,
    { name: job, file, settings }: JobPlan,
    scheduledAt: number,
    { environment }: Runtime,
): Promise<Planned[]> {
    const identity = { job, file, schedule: text, args, scheduledAt, manual: true };
    const run = createRun(identity);
    const skipped = (reason: string) => [{ run: { ...run, outcome: 'skipped' as const, reason } }];
    if (settings.environments?.includes(environment) === false) return skipped('environment');
    try {
        const tenancy = await tenancyOf(settings);
        if (tenancy.kind === 'single') return [{ run }];
        if (tenancy.kind === 'no tenants table') return skipped('no tenants table');
        if (tenancy.ids.length === 0) return skipped('no tenants');
        return tenancy.ids.map((tenant) => ({ run: createRun({ ...identity, tenant }) }));
    } catch (cause) {
        return [{ run, failure: { cause } }];
    }
}

/** Has a run executed; answers what it failed with, as it was thrown: in an object, for an Error may pass for a promise. */
async function execute(
    { run, ...asking }: Planned,
    plan: JobPlan,
    { engine, worker }: Runtime,
    { signal, batch }: { signal?: AbortSignal | undefined; batch?: number },
): Promise<{ readonly of: Error | undefined }> {
    if (signal?.aborted) {
        Object.assign(run, { outcome: 'skipped', reason: 'interrupted' });
        return { of: undefined };
    }
    const interrupt = () => void engine.abort(run, 'interrupted');
    signal?.addEventListener('abort', interrupt);
    worker.ask(run.id, asking);
    try {
        Object.assign(run, await engine.request({ run, plan, isAwaited: true, batch }));
    } catch (error) {
        Object.assign(run, { outcome: 'skipped', reason: messageOf(error) });
    } finally {
        signal?.removeEventListener('abort', interrupt);
    }
    return { of: worker.answer(run.id) };
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

/** @param since how long the run that kept the lane had been going on; undefined: none of this process did */
function failureOf(
    { job, outcome, reason }: Run,
    thrown: Error | undefined,
    since: string | undefined,
): Error | undefined {
    if (outcome === 'succeeded') return undefined;
    if (outcome === 'aborted') return new Error(`The background job "${job}" was aborted (${reason}).`);
    if (outcome !== 'skipped') return thrown;
    let why = reason === 'overlap' ? 'another process is running it' : `it was skipped (${reason})`;
    if (since !== undefined) why = `its last run has been going on for ${since}`;
    return new Error(`The background job "${job}" did not run: ${why}.`);
}
