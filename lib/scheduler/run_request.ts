import { findJobName } from '../jobs/job_name.js';
import { brokenFileProblems, type JobPlan } from '../jobs/job_plan.js';
import { createRun, isFirst, type Run, type TenantId } from '../runs/run.js';
import { type Tenancy, tenancyOf } from '../runs/tenants.js';
import { readArgs } from '../schedule/args.js';
import { messageOf } from '../text/errors.js';
import { didYouMean } from '../text/suggestion.js';
import { formatUniqueMoment, inZone } from '../time/moment.js';

/** As many tenants as an error message lists. */
const FEW = 5;

/** Somebody's wish to run a job now. */
export interface RunRequest {
    /** The job's name, in any spelling. */
    readonly name: string;
    /** JSON values; undefined: those of the schedules that are due at the slot, or none. */
    readonly args?: readonly unknown[] | undefined;
    /** The tenant whose workspace asks; undefined: none. */
    readonly tenant?: Promise<TenantId | undefined> | undefined;
    /** The id, in writing, of the one tenant of the job to run for; undefined: for all. */
    readonly onlyTenant?: string | undefined;
    /** The slot to run, in unix seconds; undefined: none. */
    readonly slot?: number | undefined;
    /** Whether it runs whatever its job's `skipWhen` answers. */
    readonly isForced?: boolean | undefined;
    /** Once aborted, it aborts the run that goes on, and those to come are skipped. */
    readonly signal?: AbortSignal | undefined;
    /** Told of all runs before the first of them starts. */
    readonly begin?: ((runs: readonly Run[]) => void) | undefined;
}

/** A run that somebody asked for, when it is over. */
export interface ManualRun {
    readonly run: Run;
    /** Why it did not succeed: what its job failed with, or a sentence on what kept it from running. */
    readonly failure: Error | undefined;
}

/**
 * Finds a job that can run, by its name in any spelling.
 *
 * @throws Error for an unknown name, saying what was probably meant, and for a job that cannot run, saying why
 */
export function findPlan(name: string, plans: readonly JobPlan[]): JobPlan {
    const problems = [...brokenFileProblems(), ...plans.flatMap((plan) => plan.problems)];
    const wanted = findJobName(name, [...plans.map((plan) => plan.name), ...problems.map(({ job }) => job)]);
    const plan = plans.find((candidate) => candidate.name === wanted);
    if (plan?.runnable) return plan;
    const [problem] = problems.filter(({ job, severity }) => job === wanted && severity === 'error');
    const place = problem?.file === undefined ? '' : ` (${problem.file})`;
    throw new Error(`The background job "${wanted}" cannot run${place}: ${problem?.reason}`);
}

/**
 * Makes the runs that a request asks for, in order: one for each tenant, and at a slot for each schedule that is due.
 *
 * @throws BadScheduleError for args that are no JSON; Error where the job is not due at the slot, has no such tenant,
 * leaves that one out, or wants tenants that the app has no table of
 */
export async function runsFor(request: RunRequest, plan: JobPlan): Promise<Run[]> {
    const occasions = occasionsOf(request, plan);
    const tenants = await tenantsFor(request, plan);
    const identity = { job: plan.name, file: plan.file, scheduledAt: request.slot, manual: true };
    const seen = new Set<string>();
    return occasions
        .flatMap((occasion) => tenants.map((tenant) => createRun({ ...identity, ...occasion, tenant })))
        .filter((run) => isFirst(run, seen));
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
    const before = schedules.map((schedule) => ({ schedule, at: schedule.previous(slot) ?? -Infinity }));
    const after = schedules.map((schedule) => ({ schedule, at: schedule.next(slot) ?? Infinity }));
    const nearest = [
        before.reduce((latest, found) => (found.at > latest.at ? found : latest)),
        after.reduce((earliest, found) => (found.at < earliest.at ? found : earliest)),
    ]
        .filter(({ at }) => Number.isFinite(at))
        .map(({ at, schedule: { timezone } }) =>
            timezone === first.timezone ? formatUniqueMoment(at, timezone) : inZone(at, timezone),
        );
    const slots = nearest.length > 1 ? `slots are ${nearest.join(' and ')}` : `slot is ${nearest}`;
    return `The background job "${name}" is not due at ${inZone(slot, first.timezone)}: its nearest ${slots}.`;
}

async function tenantsFor(
    { tenant, onlyTenant }: RunRequest,
    plan: JobPlan,
): Promise<readonly (TenantId | undefined)[]> {
    const tenancy = await listTenants(plan);
    if (tenancy.kind === 'no tenants table') {
        throw new Error(
            `The background job "${plan.name}" runs once for each tenant (multiTenant: true), and the app has no tenants table.`,
        );
    }
    if (onlyTenant !== undefined) return [await tenantNamed(onlyTenant, plan, tenancy)];
    if (tenancy.kind === 'single') return [undefined];
    const asking = await tenant;
    return asking === undefined ? tenancy.ids : [await tenantNamed(String(asking), plan, tenancy)];
}

async function listTenants({ name, file, settings }: JobPlan): Promise<Tenancy> {
    try {
        return await tenancyOf(settings);
    } catch (cause) {
        const place = file === undefined ? '' : ` (${file})`;
        const reason = `could not be listed: ${messageOf(cause)}`;
        throw new Error(`The tenants of the background job "${name}"${place} ${reason}`, { cause });
    }
}

async function tenantNamed(
    wanted: string,
    plan: JobPlan,
    tenancy: Exclude<Tenancy, { kind: 'no tenants table' }>,
): Promise<TenantId> {
    const job = `The background job "${plan.name}"`;
    if (tenancy.kind === 'single') {
        const reason =
            plan.settings.multiTenant === false ? 'multiTenant: false' : 'the app has no tenants table';
        throw new Error(`${job} runs for no tenant, and so not for "${wanted}": ${reason}.`);
    }
    // The table may have numbers where a command line has texts.
    const isWanted = (id: TenantId) => String(id) === wanted;
    const found = tenancy.ids.find(isWanted);
    if (found !== undefined) return found;
    const all = await tenancyOf({ ...plan.settings, tenantsFilter: (tenants) => tenants });
    if (all.kind === 'tenants' && all.ids.some(isWanted))
        throw new Error(`${job} does not run for tenant "${wanted}": its tenantsFilter leaves it out.`);
    throw new Error(`${job} has no tenant "${wanted}"${hintAt(tenancy.ids.map(String), wanted)}.`);
}

function hintAt(ids: readonly string[], wanted: string): string {
    if (ids.length === 0) return ': it has none';
    if (ids.length <= FEW) return `: it has ${ids.join(', ')}`;
    // One number is as good as any other.
    const meant = /^\d+$/.test(wanted) ? '' : didYouMean(wanted, ids);
    return meant || `: it has ${ids.slice(0, FEW).join(', ')} and ${ids.length - FEW} others`;
}
