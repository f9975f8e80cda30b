import { createHash, randomUUID } from 'node:crypto';
import type { OverlapPolicy } from '../jobs/settings.js';
import type { DueSchedule } from '../runs/engine.js';
import { createRun, laneOf, type Run, type TenantId } from '../runs/run.js';
import { mayHaveTenants } from '../runs/tenants.js';
import { offsetIn } from '../schedule/spread.js';

/** `slot`: it lists the tenants, and fans out. */
export type Kind = 'run' | 'slot';

/** A run that is to be written down. */
export interface Entry {
    readonly kind: Kind;
    readonly run: Run;
    /** When it may start, in unix milliseconds. */
    readonly runAt: number;
}

/** Why a run is lost. */
export const PROCESS_DIED = 'its process died';

/** What becomes of a schedule's slot. Where it fans out, the tenants have their shares of the spread when they are listed. */
export function entryOf({ schedule, plan }: Pick<DueSchedule, 'schedule' | 'plan'>, slot: number): Entry {
    const kind = mayHaveTenants(plan.settings) ? 'slot' : 'run';
    const spread = kind === 'slot' ? 0 : offsetIn(plan.settings.spread, plan.name, undefined);
    const { text, args } = schedule;
    const { name: job, file } = plan;
    const run = createRun({ job, file, schedule: text, args, scheduledAt: slot, spread });
    return { kind, run, runAt: slot * 1000 + spread };
}

/**
 * What a slot that fans out becomes for a tenant.
 *
 * @param setting the job's `spread`, in milliseconds
 * @param now unix milliseconds
 */
export function entryFor(tenant: TenantId | undefined, slot: Run, setting: number, now: number): Entry {
    const spread = offsetIn(setting, slot.job, tenant);
    const fresh = { id: randomUUID(), attempt: 0, startedAt: undefined };
    const runAt = Math.max(now, (slot.scheduledAt ?? 0) * 1000 + spread);
    return { kind: 'run', run: { ...slot, ...fresh, tenant, spread }, runAt };
}

/** A lane, as rows have it: short, whatever the args are. */
export function laneKey(kind: Kind, run: Pick<Run, 'job' | 'args' | 'tenant'>): string {
    const hash = createHash('sha1').update(`${kind} ${laneOf(run)}`);
    return hash.digest('base64url').slice(0, 16);
}

/** Whether a row keeps its lane: runs that may overlap do not, unless they catch up, one after another. */
export function holdsLane({ overlap, catchesUp }: { overlap: OverlapPolicy; catchesUp: boolean }): boolean {
    return overlap !== 'allow' || catchesUp;
}
