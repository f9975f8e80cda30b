import { findJobName } from '../jobs/job_name.js';
import { brokenFileProblems, type JobPlan } from '../jobs/job_plan.js';
import { runStorage } from '../runs/active_run.js';
import { readRequester, thisUser } from '../runs/requester.js';
import { createRun, isFirst, laneOf, type Run, type TenantId } from '../runs/run.js';
import { tenancyOf } from '../runs/tenants.js';
import { currentTrace } from '../runs/tracing.js';
import type { Asked } from '../runs/worker.js';
import { readArgs } from '../schedule/args.js';
import type { Schedule } from '../schedule/schedule.js';
import { messageOf, toError } from '../text/errors.js';
import { didYouMean } from '../text/suggestion.js';
import { formatDuration } from '../time/duration.js';
import { formatUniqueMoment, inZone } from '../time/moment.js';
import type { Runtime } from './runtime.js';

/** How many tenants an error message lists. */
const FEW = 5;

/** Somebody's wish to run a job now. */
export interface RunRequest {
    /** The job's name, in any spelling. */
    readonly name: string;
    /** JSON values; undefined: those of the schedules that are due at the slot, or none. */
    readonly args?: readonly unknown[] | undefined;
    /** The tenant of the workspace that asks; undefined: it has none. */
    readonly tenant?: Promise<TenantId | undefined> | undefined;
    /** The id, as text, of the only tenant to run for; undefined: all. */
    readonly onlyTenant?: string | undefined;
    /** The slot to run, in unix seconds; undefined: none. */
    readonly slot?: number | undefined;
    /** Who asks; undefined: `user@host` of this process. */
    readonly by?: string | undefined;
    /** Whether it runs whatever its job's `skipWhen` answers. */
    readonly isForced?: boolean | undefined;
    /** When it is aborted, the run that goes on is, too, and those to come are skipped. */
    readonly signal?: AbortSignal | undefined;
    /** Called with all runs before the first of them starts. */
    readonly begin?: ((runs: readonly Run[]) => void) | undefined;
}

/** A run that somebody asked for, and that is over. */
export interface ManualRun {
    readonly run: Run;
    /** Why it did not succeed: what its job failed with, or why it did not run. */
    readonly failure: Error | undefined;
}

let nextBatch = -2;

/**
 * Runs one job now, for each of its tenants one after another, even if some fail; for a slot, with the args of each
 * schedule that is due. Resolves when all runs are over.
 *
 * @throws Error for an unknown name, a job that cannot run or is not due at the slot, a tenant that it does not run for,
 * and a multi-tenant job in an app without a tenants table; BadScheduleError for args that are not JSON
 */
export async function runJobNow(request: RunRequest, runtime: Runtime): Promise<ManualRun[]> {
    const { plans } = await runtime.ready();
    const plan = findPlan(request.name, plans);
    const runs = await runsFor(request, plan);
    request.begin?.(runs);
    return runInOrder(runs, plan, request, runtime);
}

/** Runs what somebody asked for, one run after another, even if some fail. */
export async function runInOrder(
    runs: readonly Run[],
    plan: JobPlan,
    { isForced, signal }: Pick<RunRequest, 'isForced' | 'signal'>,
    runtime: Runtime,
): Promise<ManualRun[]> {
    const over: ManualRun[] = [];
    for (const run of runs) {
        const holder = runtime.worker.holderOf(laneOf(run));
        if (holder && runStorage.getStore()?.descendsFrom(holder) && plan.settings.overlap !== 'allow') {
            const endless = `The background job "${run.job}" cannot run from within itself: it would wait for itself.`;
            over.push({ run, failure: new Error(endless) });
            continue;
        }
        const since = holder && formatDuration(holder.age(runtime.clock.now()));
        const { thrown } = await execute(run, plan, runtime, { isForced, signal });
        over.push({ run, failure: failureOf(run, thrown, since) });
    }
    return over;
}

/**
 * The runs that a request asks for, in order; none if there are no tenants. Throws as `runJobNow` does.
 *
 * @param known the tenants, if they are known already
 */
export async function runsFor(
    request: RunRequest,
    plan: JobPlan,
    known?: readonly (TenantId | undefined)[],
): Promise<Run[]> {
    const occasions = occasionsOf(request, plan);
    const tenants = known ?? (await tenantsFor(request, plan));
    const asked = { scheduledAt: request.slot, requestedBy: request.by ?? thisUser() };
    const seen = new Set<string>();
    return occasions
        .flatMap((occasion) => tenants.map((tenant) => requestedRun(plan, { ...occasion, ...asked, tenant })))
        .filter((run) => isFirst(run, seen));
}

/** A run of a job that somebody asks for. */
export function requestedRun(
    { name: job, file }: JobPlan,
    known: Pick<Run, 'args' | 'requestedBy'> & Partial<Run>,
): Run {
    return createRun({ job, file, manual: true, traceparent: currentTrace(), ...known });
}

/** Runs what is due at exactly one second, in order and by turns, as the scheduler would; resolves when all is over. */
export async function runSecond(
    second: number,
    runtime: Runtime,
    { signal, by }: { signal?: AbortSignal | undefined; by?: string | undefined },
): Promise<Run[]> {
    const asked = { scheduledAt: second, requestedBy: readRequester(by) };
    const catalog = await runtime.ready();
    const runs: Run[] = [];
    const over: Promise<unknown>[] = [];
    const seen = new Set<string>();
    // These runs take turns with one another, but not with others.
    const batch = nextBatch--;
    for (const schedule of catalog.timetable.peek(second)) {
        const plan = catalog.plan(schedule.job) as JobPlan;
        for (const { run, failure } of await runsOf(schedule, plan, asked, runtime.environment)) {
            if (!isFirst(run, seen)) continue;
            runs.push(run);
            if (run.outcome === undefined) over.push(execute(run, plan, runtime, { signal, batch, failure }));
            else runtime.emit({ type: 'run-ended', run });
        }
    }
    await Promise.all(over);
    return runs;
}

/** Throws the failure of a run, or an AggregateError that names the tenants if several have failed. */
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

/**
 * Finds a job that can run, by its name in any spelling.
 *
 * @throws Error for an unknown name, with a suggestion, and for a job that cannot run, with the reason
 */
export function findPlan(name: string, plans: readonly JobPlan[]): JobPlan {
    const problems = [...brokenFileProblems(), ...plans.flatMap((plan) => plan.problems)];
    const wanted = findJobName(name, [...plans.map((plan) => plan.name), ...problems.map(({ job }) => job)]);
    const plan = plans.find((candidate) => candidate.name === wanted);
    if (plan?.runnable) return plan;
    const problem = problems.find(({ job, severity }) => job === wanted && severity === 'error');
    throw new Error(`The background job "${wanted}" cannot run${placeOf(problem)}: ${problem?.reason}`);
}

/** The zone of times that are given for a job: that of its schedules where they have one in common, else its own, else the usual. */
export function timezoneOf({ schedules, settings }: JobPlan, usual: string | undefined): string | undefined {
    const zones = new Set(schedules.map(({ timezone }) => timezone));
    return zones.size === 1 ? [...zones][0] : (settings.timezone ?? usual);
}

async function runsOf(
    { args, text }: Schedule,
    plan: JobPlan,
    asked: Pick<Run, 'scheduledAt' | 'requestedBy'>,
    environment: string,
): Promise<{ run: Run; failure?: Error }[]> {
    const { settings } = plan;
    const known = { schedule: text, args, ...asked };
    const run = requestedRun(plan, known);
    const skipped = (reason: string) => [{ run: { ...run, outcome: 'skipped' as const, reason } }];
    if (settings.environments?.includes(environment) === false) return skipped('environment');
    try {
        const tenancy = await tenancyOf(settings);
        if (tenancy.kind === 'single') return [{ run }];
        if (tenancy.kind === 'no tenants table') return skipped(tenancy.kind);
        if (tenancy.ids.length === 0) return skipped('no tenants');
        return tenancy.ids.map((tenant) => ({ run: requestedRun(plan, { ...known, tenant }) }));
    } catch (cause) {
        return [{ run, failure: toError(cause) }];
    }
}

/** Has a run executed; what it failed with is in an object, for an Error may pass for a promise. */
async function execute(
    run: Run,
    plan: JobPlan,
    { engine, worker }: Runtime,
    options: Omit<Asked, 'parent'> & { signal?: AbortSignal | undefined; batch?: number },
): Promise<Pick<Asked, 'thrown'>> {
    const { signal, batch, ...how } = options;
    const asked: Asked = { ...how, parent: runStorage.getStore() };
    if (signal?.aborted) {
        Object.assign(run, { outcome: 'skipped', reason: 'interrupted' });
        return asked;
    }
    const interrupt = () => void engine.abort(run.id, 'interrupted');
    signal?.addEventListener('abort', interrupt);
    worker.asked.set(run.id, asked);
    try {
        Object.assign(run, await engine.request({ run, plan, isAwaited: true, batch }));
    } catch (error) {
        Object.assign(run, { outcome: 'skipped', reason: messageOf(error) });
    } finally {
        signal?.removeEventListener('abort', interrupt);
        worker.asked.delete(run.id);
    }
    return asked;
}

/** @param since how long a run of this process had kept the lane; undefined: none did */
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

function occasionsOf({ slot, args }: RunRequest, plan: JobPlan): Pick<Run, 'schedule' | 'args'>[] {
    const given = args && readArgs(args);
    if (slot === undefined) return [{ schedule: undefined, args: given ?? [] }];
    const due = plan.schedules.filter((schedule) => schedule.matches(slot));
    const [first] = due;
    if (!first) throw new Error(notDue(plan, slot));
    if (given) return [{ schedule: first.text, args: given }];
    return due.map((schedule) => ({ schedule: schedule.text, args: schedule.args }));
}

function notDue({ name, schedules }: JobPlan, slot: number): string {
    const [first] = schedules;
    if (!first) return `The background job "${name}" has no schedule, and so no slot.`;
    const before = Math.max(...schedules.map((schedule) => schedule.previous(slot) ?? -Infinity));
    const after = Math.min(...schedules.map((schedule) => schedule.next(slot) ?? Infinity));
    const nearest = [before, after]
        .filter(Number.isFinite)
        .map((second) => formatUniqueMoment(second, first.timezone));
    const slots = nearest.length > 1 ? `slots are ${nearest.join(' and ')}` : `slot is ${nearest}`;
    return `The background job "${name}" is not due at ${inZone(slot, first.timezone)}: its nearest ${slots}.`;
}

/** The tenants that a job is to run for: `[undefined]` if it has none, one of them, or all. Throws as `runJobNow` does. */
export async function tenantsFor(
    { tenant, onlyTenant }: Pick<RunRequest, 'tenant' | 'onlyTenant'>,
    plan: JobPlan,
): Promise<readonly (TenantId | undefined)[]> {
    const job = `The background job "${plan.name}"`;
    const tenancy = await tenancyOf(plan.settings).catch((cause) => {
        const complaint = `could not be listed: ${messageOf(cause)}`;
        throw new Error(`The tenants of the background job "${plan.name}"${placeOf(plan)} ${complaint}`, {
            cause,
        });
    });
    if (tenancy.kind === 'no tenants table')
        throw new Error(
            `${job} runs once for each tenant (multiTenant: true), and the app has no tenants table.`,
        );
    if (tenancy.kind === 'single') {
        if (onlyTenant === undefined) return [undefined];
        const isSingle = plan.settings.multiTenant === false;
        const reason = isSingle ? 'multiTenant: false' : 'the app has no tenants table';
        throw new Error(`${job} runs for no tenant, and so not for "${onlyTenant}": ${reason}.`);
    }
    const wanted = onlyTenant ?? (await tenant);
    if (wanted === undefined) return tenancy.ids;
    // The table may have numbers where a command line has texts.
    const isWanted = (id: TenantId) => String(id) === String(wanted);
    const found = tenancy.ids.filter(isWanted);
    if (found.length > 0) return found;
    const all = await tenancyOf({ ...plan.settings, tenantsFilter: (tenants) => tenants });
    if (all.kind === 'tenants' && all.ids.some(isWanted))
        throw new Error(`${job} does not run for tenant "${wanted}": its tenantsFilter leaves it out.`);
    throw new Error(`${job} has no tenant "${wanted}"${hintAt(tenancy.ids.map(String), String(wanted))}.`);
}

function placeOf(at: { readonly file?: string | undefined } | undefined): string {
    return at?.file === undefined ? '' : ` (${at.file})`;
}

function hintAt(ids: readonly string[], wanted: string): string {
    if (ids.length === 0) return ': it has none';
    if (ids.length <= FEW) return `: it has ${ids.join(', ')}`;
    // One number is as good as any other.
    const meant = /^\d+$/.test(wanted) ? '' : didYouMean(wanted, ids);
    return meant || `: it has ${ids.slice(0, FEW).join(', ')} and ${ids.length - FEW} others`;
}
