import type { BotEvent } from '../runs/events.js';
import { isFailure, type Run } from '../runs/run.js';

/** Runs of a job and tenant that failed one after another, when that is to be told. */
export interface Streak {
    readonly failures: number;
    /** When the first of them ended, in unix milliseconds. */
    readonly since: number;
}

/** What a run's end does to the streak: undefined: nothing, for it was skipped, or told to end. */
export function effectOf(outcome: string | undefined): 'grows' | 'ends' | undefined {
    if (isFailure(outcome)) return 'grows';
    return outcome === 'succeeded' ? 'ends' : undefined;
}

/** The event that tells of the streak that a run has made too long, or ended. */
export function streakEvent(run: Run, { failures, since }: Streak): BotEvent {
    const type = effectOf(run.outcome) === 'grows' ? 'job-failing' : 'job-recovered';
    return { type, run, failures, since };
}
