import type { JobPlan } from '../jobs/job_plan.js';
import { readRequester, readText } from '../runs/requester.js';
import type { Run, TenantId } from '../runs/run.js';
import { readArgs } from '../schedule/args.js';
import { BadOptionError, checkOptions } from '../text/bad_option_error.js';
import { parseDuration } from '../time/duration.js';
import { inZone } from '../time/moment.js';
import { readTime } from '../time/moment_input.js';
import { findPlan, requestedRun, tenantsFor } from './requests.js';
import type { Runtime } from './runtime.js';

/** A time that is past by less than this, in milliseconds, means as soon as possible. */
const JUST_NOW = 60_000;

/** How a run is enqueued. */
export interface EnqueueOptions {
    /** What its `run()` is called with: JSON values. */
    readonly args?: readonly unknown[] | undefined;
    /** How long it waits: `'10m'`, or milliseconds. Default, without `at` too: it runs as soon as possible. */
    readonly in?: string | number | undefined;
    /** When it runs: a Date, unix milliseconds, or a text like `'2026-11-25 14:00'`. */
    readonly at?: Date | number | string | undefined;
    /** At most one run of the job with this key waits. */
    readonly key?: string | undefined;
    /** What happens if one with the key waits: it stays (the default), or this one takes its place. */
    readonly whenQueued?: 'keep' | 'replace' | undefined;
    /** The id of the tenant. Default: that of the workspace, request or run that asks; all of the job's tenants without one. */
    readonly tenant?: TenantId | undefined;
    /** Who asks. Default: `user@host` of the process. */
    readonly by?: string | undefined;
}

const OPTIONS = ['args', 'in', 'at', 'key', 'whenQueued', 'tenant', 'by'];

/**
 * Records a run for whichever process works. Resolves with it, or with the one that waits under its key.
 *
 * @param asking the tenant of the workspace, request or run that asks
 * @throws BadOptionError for a bad option; Error for an unknown job, one that cannot run, and an unknown tenant
 */
export async function enqueue(
    name: string,
    options: EnqueueOptions,
    asking: () => Promise<TenantId | undefined>,
    runtime: Runtime,
): Promise<{ run: Run; runAt: number | undefined }> {
    const { plans } = await runtime.ready();
    const plan = findPlan(name, plans);
    checkOptions(options, OPTIONS, 'enqueue()');
    const runAt = readRunAt(options, plan, runtime);
    const { whenQueued = 'keep' } = options;
    if (whenQueued !== 'keep' && whenQueued !== 'replace')
        throw new BadOptionError("whenQueued is neither 'keep' nor 'replace'.");
    const key = readText('key', options.key);
    const given = options.tenant === undefined ? undefined : String(options.tenant);
    const tenant = given === undefined ? asking() : Promise.resolve(given);
    // A job without tenants never asks for it.
    tenant.catch(() => {});
    const tenants = await tenantsFor({ onlyTenant: given, tenant }, plan);
    const isSingle = tenants.length === 1 && tenants[0] === undefined;
    const isOne = isSingle || (await tenant) !== undefined;
    const run = requestedRun(plan, {
        args: readArgs(options.args ?? []),
        tenant: isOne ? tenants[0] : undefined,
        requestedBy: readRequester(options.by),
    });
    const recorded = await runtime.engine.request({
        kind: isOne ? 'run' : 'slot',
        run,
        plan,
        isAwaited: false,
        runAt,
        heedsPauses: true,
        key: key === undefined ? undefined : { name: key, whenQueued },
    });
    return { run: recorded, runAt };
}

function readRunAt(options: EnqueueOptions, plan: JobPlan, { clock, config }: Runtime): number | undefined {
    const now = clock.now();
    if (options.in !== undefined && options.at !== undefined)
        throw new BadOptionError('in and at exclude each other.');
    if (options.in !== undefined) return now + readWait(options.in);
    if (options.at === undefined) return undefined;
    const timezone = plan.settings.timezone ?? config.timezone;
    const at = readTime('at', options.at, { now: Math.floor(now / 1000), timezone });
    if (at > now - JUST_NOW) return Math.max(at, now);
    throw new BadOptionError(
        `at ${inZone(at / 1000, timezone)} is past: it is ${inZone(now / 1000, timezone)}.`,
    );
}

function readWait(wait: unknown): number {
    if (typeof wait === 'number' && wait >= 0 && Number.isFinite(wait)) return wait;
    try {
        return parseDuration(wait);
    } catch (error) {
        throw new BadOptionError(`in, ${JSON.stringify(wait)}, ${(error as Error).message}`);
    }
}
