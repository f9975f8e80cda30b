import type { UnrunOfSchedule } from '../runs/engine.js';
import type { Run } from '../runs/run.js';

/** Why a run is lost. */
export const PROCESS_DIED = 'its process died';

/** Processes that find the clock set back to within this many seconds of one another have found the same. */
export const SAME_STEP = 60;

/** As much of a stack, in characters, as is kept. */
const LONGEST_STACK = 8_000;

/** Skips that say nothing about the slot: it is claimed, or stays for whoever comes next. */
const UNRECORDED_SKIPS = ['claimed elsewhere', 'stopping', 'no journal'];

/** Slots that did not run, for one reason. Times are unix seconds. */
export interface SkippedSlots extends Pick<Run, 'job' | 'schedule' | 'args' | 'tenant'> {
    readonly reason: string;
    readonly first: number;
    readonly last: number;
    readonly count: number;
    /** Whether there are more of them than were counted. */
    readonly atLeast: boolean;
}

/** What is to be recorded of a run that was skipped; undefined: nothing. */
export function skipOf(run: Run): SkippedSlots | undefined {
    const { job, schedule, args, tenant, reason = '', scheduledAt: slot, manual } = run;
    if (manual || slot === undefined || UNRECORDED_SKIPS.includes(reason)) return undefined;
    return { job, schedule, args, tenant, reason, first: slot, last: slot, count: 1, atLeast: false };
}

/** What is to be recorded of missed slots. */
export function skipsOf({ schedule, ...found }: UnrunOfSchedule): SkippedSlots {
    const { job, text, args } = schedule;
    return { ...found, job, schedule: text, args, tenant: undefined };
}

/** What is kept of the error that a run failed with. */
export function errorOf({ error }: Run): { error: string | undefined; stack: string | undefined } {
    return {
        error: error && `${error.name}: ${error.message}`,
        stack: error?.stack?.slice(0, LONGEST_STACK),
    };
}
