import type { JournalSettings } from '../config/journal_settings.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { UnrunSlots } from '../schedule/missed.js';
import type { Schedule } from '../schedule/schedule.js';
import type { Clock } from '../time/clock.js';
import type { Emit } from './events.js';
import type { History } from './history.js';
import type { Run } from './run.js';

/**
 * The answer to a claim:
 * - `granted`: the run may start, and is recorded
 * - `taken`: what becomes of the slot is decided already
 * - `superseded`: a newer slot of the lane has started
 * - `busy`: another process has a run of the lane going
 * - `paused`: the job is paused
 * - `journal locked`: another process kept the store locked for longer than the lock timeout
 * - `no journal`: the engine cannot tell, and so grants nothing
 */
export type ClaimAnswer =
    | 'granted'
    | 'taken'
    | 'superseded'
    | 'busy'
    | 'paused'
    | 'journal locked'
    | 'no journal';

/** How long a lock that another process holds is waited for by who opens the store, claims, pauses or resumes. */
export interface LockTimeout {
    readonly milliseconds: number;
    /** Once aborted, the wait is over. */
    readonly signal?: AbortSignal | undefined;
}

/** Another process kept the journal locked for longer than the lock timeout. */
export class JournalLockedError extends Error {
    override readonly name = 'JournalLockedError';

    constructor() {
        super('Another process keeps the journal locked: nothing was run, and nothing was changed.');
    }
}

/** What an engine is given to read what it remembers. */
export interface HistoryHost {
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
    readonly journal: JournalSettings;
}

/** What an engine is given to work with. */
export interface EngineHost extends HistoryHost {
    readonly clock: Clock;
    readonly emit: Emit;
    /** undefined: it waits until the lock is free. */
    readonly lockTimeout?: LockTimeout | undefined;
    /** Asked for each run whose process died: the run that takes its place; undefined: none. */
    retryOf(lost: Run): Run | undefined;
    /**
     * Executes a run that the engine has claimed itself.
     *
     * @returns a promise that resolves when it is over here: ended, put back, or waiting for its next attempt elsewhere
     */
    execute(run: Run): Promise<void>;
    /** The job as this process knows it; undefined: it does not. */
    planOf(job: string): JobPlan | undefined;
    /** The longest `missedWithin` of all jobs, in milliseconds. */
    longestMissedWithin(): number;
    /** Told when the store can be reached again, with slots that became due in the meantime. */
    recovered(): void;
}

/** Where an engine keeps scheduled runs until some process executes them. */
export interface RunQueue {
    /**
     * Adds runs; each slot of a lane gets in once, whoever adds it.
     *
     * @param runs scheduled runs, in the order of their slots
     * @param catchesUp whether they were missed, and go one after another
     * @returns whether they are safe there; where not, they are still to be added
     */
    add(runs: readonly Run[], catchesUp: boolean): Promise<boolean>;
}

/** Slots of a schedule that do not run. */
export type UnrunOfSchedule = UnrunSlots & { readonly schedule: Schedule };

/**
 * Where runs are claimed and remembered. Every engine keeps the same promises; one suite of tests holds them all to it.
 * No method but `open`, `pause` and `resume` rejects because of trouble with the store: the engine deals with it, and
 * emits an event.
 */
export interface Engine {
    /** Its name in the log, with what it remembers: `'embedded, journal bot_production.db'`. */
    readonly description: string;
    /** Where scheduled runs go; undefined: the process that finds them due executes them itself. */
    readonly queue?: RunQueue | undefined;
    /**
     * Makes it ready; called again, it changes nothing.
     *
     * @throws Error where it must not work without its store; JournalLockedError
     */
    open(host: EngineHost): Promise<void>;
    /** From now on it looks for runs of dead processes, and takes runs from its queue. */
    start(): void;
    /** From now on it looks for none, and takes none; those that go on are not touched. */
    stop(): void;
    /**
     * Opens what it remembers for reading, whether it is open or not, while others write. What has remembered nothing yet
     * is an empty history, and is not made by looking.
     *
     * @throws Error where it cannot be read: the message says why
     */
    history(host: HistoryHost): Promise<History>;
    /** Lets go of everything, once the last run has ended; it can be opened again. */
    close(): Promise<void>;

    /**
     * Asks for the right to run a slot, given once to a lane and slot, when the run starts, and records that it does. A
     * manual run needs no right, only its lane.
     *
     * @param isExclusive whether its lane must be free of other processes; a process minds its own
     */
    claim(run: Run, isExclusive: boolean): Promise<ClaimAnswer>;
    /**
     * Remembers that a run waits for its next attempt, so many milliseconds after the one that it is at has failed.
     *
     * @returns whether the engine sees to that attempt itself, so that the run is over here
     */
    retrying(run: Run, delay: number): boolean;
    /** Remembers how a run ended: before it first waits, where the store is free, as the process may be exiting. */
    finished(run: Run): Promise<void>;
    /** Remembers that a run was skipped: it has its reason. */
    skipped(run: Run): void;
    /** Remembers slots that were missed and do not run. */
    unrun(slots: readonly UnrunOfSchedule[]): Promise<void>;

    /** Up to which second each schedule is handled, by its key. One that is new is handled until now, a unix second. */
    handledUntil(schedules: readonly Schedule[], now: number): Promise<ReadonlyMap<string, number>>;
    /** The latest second up to which any schedule is handled; undefined: there is none. */
    latestHandled(): Promise<number | undefined>;
    /** Remembers that all slots of a schedule up to a second are claimed, or recorded as not run. */
    handled(schedule: Schedule, second: number): void;
    /** Forgets what it knows of slots after a second, which come again because the clock was set back. */
    voidClaimsAfter(second: number): Promise<void>;

    /** Whether a job is paused, as far as it is known: changes of other processes are seen within a second. */
    isPaused(job: string): boolean;
    /** The names of the paused jobs; `ALL_JOBS` among them where all are. */
    pausedJobs(): Promise<readonly string[]>;
    /** Pauses a job, or `ALL_JOBS`; rejects where that cannot be remembered. */
    pause(job: string): Promise<void>;
    /** Ends a job's pause, or with `ALL_JOBS` every one: slots that came meanwhile are handled. Rejects as `pause` does. */
    resume(job: string): Promise<void>;
}

/** The name under which all jobs are paused at once; no job has it. */
export const ALL_JOBS = '*';
