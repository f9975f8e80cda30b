import type { JournalSettings } from '../config/journal_settings.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { UnrunSlots } from '../schedule/missed.js';
import type { Schedule } from '../schedule/schedule.js';
import type { Clock } from '../time/clock.js';
import type { Patience } from '../time/patience.js';
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
 * - `journal locked`: another process kept the store locked for longer than the host waits
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
    /** How long a store that is locked is waited for by who opens it, claims, pauses or resumes; undefined: until it is not. */
    readonly patience?: Patience | undefined;
    /**
     * Asked for each run whose process died.
     *
     * @returns the run that is to take its place; undefined: none
     */
    retryOf(lost: Run): Run | undefined;
    /**
     * Told of a run that the engine has claimed itself: it is to be executed.
     *
     * @returns a promise that resolves when it is over here: ended, put back, or waiting for its next attempt elsewhere
     */
    takeOver(run: Run): void | Promise<void>;
    /** The job as this process knows it; undefined: it does not. */
    planOf(job: string): JobPlan | undefined;
    /** For how long a slot may still be missed: the longest `missedWithin` of all jobs, in milliseconds. */
    longestMissedWithin(): number;
    /** Told when the store can be reached again: what has become due meanwhile is still owed. */
    recovered(): void;
}

/** Where an engine keeps scheduled runs until some process executes them. */
export interface RunQueue {
    /**
     * Adds runs; each slot of a lane gets in once, whoever adds it.
     *
     * @param runs scheduled runs, in the order of their slots
     * @param how whether they were missed, and go one after another
     * @returns a promise of whether they are safe there; false: they are still owed
     */
    add(runs: readonly Run[], how: { catchesUp: boolean }): Promise<boolean>;
}

/** Slots of a schedule that do not run. */
export type UnrunOfSchedule = UnrunSlots & { readonly schedule: Schedule };

/**
 * Where runs are claimed and remembered. Every engine keeps the same promises; one suite of tests holds them all to it.
 * No method but `pause` and `resume` rejects because of trouble with the store: the engine deals with it, and tells of it as
 * an event. What can be answered at once is.
 */
export interface Engine {
    /** Its name in the log, with what it remembers: `'embedded, journal bot_production.db'`. */
    readonly description: string;
    /** Where scheduled runs go; undefined: the process that finds them due executes them itself. */
    readonly queue?: RunQueue | undefined;
    /**
     * Makes it ready; called again, it changes nothing.
     *
     * @param host what it works with
     * @throws Error where it must not work without its store; JournalLockedError
     */
    open(host: EngineHost): void | Promise<void>;
    /** From now on, and until `close()`, runs of dead processes are looked for. Before that it only serves its own. */
    watch(): void;
    /** From now on no runs are taken over; those that go on are not touched. */
    rest(): void;
    /**
     * Opens what it remembers for reading, whether it is open or not: from a process that runs nothing, while others
     * write. What has remembered nothing yet is an empty history, and is not made by looking.
     *
     * @param host what it works with
     * @throws Error where it cannot be read: the message says why
     */
    history(host: HistoryHost): Promise<History>;
    /** Lets go of everything; it can be opened again. A run that has not ended yet keeps it open until then. */
    close(): void | Promise<void>;

    /**
     * Asks for the right to run a slot, given once to a lane and slot, when the run starts, and records that it does. A
     * manual run needs no right, only its lane.
     *
     * @param run a run about to start
     * @param isExclusive whether its lane must be free; two processes share lanes, a process minds its own
     */
    claim(run: Run, isExclusive: boolean): ClaimAnswer | Promise<ClaimAnswer>;
    /**
     * Remembers that a run waits for its next attempt.
     *
     * @param run the run, at the attempt that has failed
     * @param delay how long it is to wait, in milliseconds
     * @returns whether the engine sees to that attempt itself, so that the run is over here
     */
    retrying(run: Run, delay: number): boolean;
    /** Remembers how a run ended. */
    finished(run: Run): void | Promise<void>;
    /** Remembers that a run was skipped: it has its reason. */
    skipped(run: Run): void;
    /** Remembers slots that were missed and do not run. */
    unrun(slots: readonly UnrunOfSchedule[]): void | Promise<void>;

    /**
     * Tells up to which second each schedule is settled. One that was never seen before is settled until now.
     *
     * @param schedules which
     * @param now unix second
     * @returns unix seconds by schedule key
     */
    settledUntil(
        schedules: readonly Schedule[],
        now: number,
    ): ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>>;
    /** The latest second up to which any schedule is settled; undefined: there is none. */
    latestSettled(): number | undefined | Promise<number | undefined>;
    /** Remembers that all slots of a schedule up to a second are claimed, or recorded as not run. */
    settle(schedule: Schedule, second: number): void;
    /**
     * Voids what it knows of slots that are to come again, because the clock was set back.
     *
     * @param second unix seconds: what is later is void
     */
    voidClaimsAfter(second: number): void | Promise<void>;

    /** Whether a job is paused, as far as it is known: changes of other processes are seen within a second. */
    isPaused(job: string): boolean;
    /** The names of the paused jobs; `ALL_JOBS` among them where all are. */
    pausedJobs(): readonly string[] | Promise<readonly string[]>;
    /** Pauses a job, or `ALL_JOBS`; throws an Error, by its promise or at once, where that cannot be remembered. */
    pause(job: string): void | Promise<void>;
    /** Ends a job's pause, or with `ALL_JOBS` every one; slots that came in the meantime are settled. Throws as `pause` does. */
    resume(job: string): void | Promise<void>;
}

/** The name under which all jobs are paused at once; no job has it. */
export const ALL_JOBS = '*';
