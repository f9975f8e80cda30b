import type { Pause } from './pause.js';
import type { Outcome, Run } from './run.js';

/** What a run and skipped slots have in common. */
interface Past extends Readonly<Pick<Run, 'job' | 'schedule' | 'args' | 'tenant' | 'reason'>> {
    /** The machine that recorded it. */
    readonly host: string;
    readonly pid: number;
}

/** A run, as an engine remembers it. Times are unix milliseconds. */
export interface PastRun
    extends Past,
        Readonly<Pick<Run, 'id' | 'scheduledAt' | 'manual' | 'requestedBy' | 'attempt' | 'endedAt'>> {
    readonly kind: 'run';
    readonly startedAt: number;
    /** In milliseconds; 0 where it has no slot. */
    readonly lateBy: number;
    /** `lost` also where its process is gone and nobody has recorded that yet. */
    readonly outcome: Outcome | 'running';
    /** The name and message. */
    readonly error: string | undefined;
    readonly stack: string | undefined;
}

/** Successive slots that did not run, for one reason; in unix seconds. */
export interface PastSkips extends Past {
    readonly kind: 'skips';
    readonly reason: string;
    readonly first: number;
    readonly last: number;
    readonly count: number;
    /** Whether there are more of them than were counted. */
    readonly atLeast: boolean;
}

/** How a job is doing. */
export interface JobStatus {
    readonly running: readonly PastRun[];
    /** The runs of the last slot of which any has ended: one for each tenant, and args. */
    readonly ended: readonly PastRun[];
    /** The runs of the last request, where somebody has asked for any since. */
    readonly byHand: readonly PastRun[];
    /** The newest slots that were skipped. */
    readonly skipped: PastSkips | undefined;
}

/** As many of a job's newest manual runs are looked at for the last request: more tenants than that are not shown. */
export const MOST_OF_REQUEST = 500;

/**
 * Picks, from a job's manual runs that have ended, newest first, those of the last request: one process runs a job for
 * one tenant after another. Those that started by `since`, in unix milliseconds, do not count.
 */
export function lastRequestOf(runs: readonly PastRun[], since: number): PastRun[] {
    const [newest] = runs;
    if (!newest) return [];
    const seen = new Set<string>();
    const end = runs.findIndex((run) => {
        const forWhom = JSON.stringify([run.tenant ?? null, run.args]);
        const isOther = run.host !== newest.host || run.pid !== newest.pid || seen.has(forWhom);
        seen.add(forWhom);
        return isOther || run.startedAt <= since;
    });
    return runs.slice(0, end === -1 ? undefined : end);
}

/** By this, runs and skipped slots stand in one order: when the run started, or the last slot; unix milliseconds. */
export function timeOf(past: PastRun | PastSkips): number {
    return past.kind === 'run' ? past.startedAt : past.last * 1000;
}

/** What an engine remembers, to be read; reading changes nothing. */
export interface History {
    /** Whether runs of other processes are in it: without a journal's file, each process knows of its own alone. */
    readonly isShared: boolean;
    /** How jobs are doing, by name; a job of which nothing is known is not among them. */
    statusOf(jobs: readonly string[]): Promise<ReadonlyMap<string, JobStatus>>;
    /** A job's runs and skipped slots, newest first. */
    of(job: string, most: number): Promise<readonly (PastRun | PastSkips)[]>;
    /** The pauses, by job; those that have ended by themselves may be among them. */
    pauses(): Promise<readonly Pause[]>;
    /** The last second in which any process scheduled jobs; undefined: none ever did, or none is known. */
    workedUntil(): Promise<number | undefined>;
    close(): Promise<void>;
}
