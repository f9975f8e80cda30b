import type { JournalSettings } from '../config/config.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { UnrunSlots } from '../schedule/missed.js';
import type { Schedule } from '../schedule/schedule.js';
import type { ErrorRecord } from '../text/errors.js';
import type { Clock } from '../time/clock.js';
import type { AbortRequest } from './active_run.js';
import type { Emit, GiveUpReason } from './events.js';
import type { History } from './history.js';
import type { Output } from './output.js';
import type { Pause } from './pause.js';
import type { Outcome, Run, TenantId } from './run.js';

/** What a schedule comes to: each of its slots since `from` is to run, or has a reason not to. */
export interface DueSchedule {
    readonly schedule: Schedule;
    readonly plan: JobPlan;
    /** Its place among the schedules of one second. */
    readonly position: number;
    /** Up to which second it was handled when this was decided; it is recorded only while that is so. */
    readonly from: number;
    readonly until: number;
    /** Unix seconds, oldest first. */
    readonly run: readonly number[];
    /** Whether those were missed. */
    readonly catchesUp: boolean;
    /** Why those that were to run are left out: the job is not for this environment. */
    readonly leftOut?: 'environment' | undefined;
    readonly skipped: readonly (Pick<UnrunSlots, 'count' | 'atLeast' | 'first' | 'last'> & {
        reason: string;
    })[];
    /** Whether this was decided after a gap, so that it holds for slots which wait since before it, too. */
    readonly decidesAnew: boolean;
}

/** A run that is taken from the queue, to be executed. */
export interface TakenRun {
    readonly kind: 'run' | 'slot';
    readonly run: Run;
    /** Aborted when the run is to end. */
    readonly signal: AbortRequest;
    /** When it could start, in unix milliseconds: its tenant was there then. */
    readonly dueAt: number;
    /** Takes what it prints. */
    readonly output: Output;
}

/** What becomes of a run after an attempt. */
export type Result =
    | { kind: 'ended'; outcome: Exclude<Outcome, 'lost'>; reason?: string; error?: ErrorRecord | undefined }
    /** It waits for its next attempt until then, in unix milliseconds. */
    | { kind: 'retries'; at: number; error: ErrorRecord }
    /** Of a slot: it runs for each of these; undefined: once, for nobody. */
    | { kind: 'fans out'; tenants: readonly TenantId[] | undefined };

/** How long a store that another process keeps locked is waited for. */
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

export interface HistoryHost {
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
    readonly journal: JournalSettings;
}

/** What an engine is given to work with. */
export interface EngineHost extends HistoryHost {
    readonly clock: Clock;
    readonly emit: Emit;
    /** How many runs of one batch may hold a turn at once. */
    readonly concurrency: number;
    /** After this long a run has lost its turn, in milliseconds. */
    readonly turn: number;
    /** So many of the last runs of each job that did not fail keep their output; 0: none is kept. */
    readonly outputKept: number;
    /** How long a locked store is waited for; undefined: until it is free. */
    readonly lockTimeout?: LockTimeout | undefined;
    /** The job as this process knows it; undefined: it does not. */
    planOf(job: string): JobPlan | undefined;
    /** After how many failed runs in a row it is told that a job is failing; Infinity: never. */
    failingAfter(job: string): number;
    /** Executes an attempt of a run, or lists the tenants of a slot. It never rejects. */
    perform(taken: TakenRun): Promise<Result>;
    /** Told that schedules have to be looked at again: the store is back, or another has taken its place. */
    recovered(): void;
}

export interface Request {
    /** Of a slot's kind: it lists the tenants when it is taken, and a run is made for each. */
    readonly kind?: TakenRun['kind'];
    readonly run: Run;
    readonly plan: JobPlan;
    /** Whether somebody waits for it in this process, which alone may execute it. */
    readonly isAwaited: boolean;
    /** With which others it takes turns, by a number below -1; undefined: it needs none. */
    readonly batch?: number | undefined;
    /** Unix milliseconds; undefined: as soon as possible. */
    readonly runAt?: number | undefined;
    /** Whether it waits while its job is paused. */
    readonly heedsPauses?: boolean | undefined;
    /** At most one run of its job with this key waits, and has never started. */
    readonly key?: RequestKey | undefined;
}

/** What becomes of a request while a run of its job with the same key waits: nothing, or it takes that one's place. */
export interface RequestKey {
    readonly name: string;
    readonly whenQueued: 'keep' | 'replace';
}

export interface WaitingSlots {
    of(schedule: Schedule): readonly number[];
}

/** How far scheduling has come. */
export interface LastEnqueued {
    /** Unix seconds; -Infinity: nobody has enqueued yet. */
    readonly second: number;
    /** Whether another process works now. */
    readonly byOthers: boolean;
}

/** Where runs wait, are taken, and are remembered. Every engine keeps the same promises; one suite of tests holds them to it. */
export interface Engine {
    /** Its name in the log, with what it remembers: `'embedded, journal bot_production.db'`. */
    readonly description: string;
    /** Whether nothing is about to start here, or to be recorded. */
    readonly isIdle: boolean;
    /** Called again, it changes nothing. Before `work()` it executes only what is requested here. */
    open(host: EngineHost): Promise<void>;
    /** From now on takes whatever waits, and looks after what dead processes have left. */
    work(): void;
    /** From now on takes nothing but what somebody here waits for. */
    rest(): void;
    /** Lets go of everything; a run that goes on keeps it until then. */
    close(): Promise<void>;
    history(host: HistoryHost): Promise<History>;

    /**
     * Up to which second each schedule is handled, by its key: one that was never seen before, until now.
     * Undefined: the store cannot be reached.
     */
    handledUntil(
        schedules: readonly Schedule[],
        now: number,
    ): Promise<ReadonlyMap<string, number> | undefined>;
    /** The slots that wait and never started, oldest first, in unix seconds; by job and text of the schedule. */
    waiting(): Promise<WaitingSlots>;
    /** How far any process has come; undefined: the store cannot be reached. */
    lastEnqueued(): Promise<LastEnqueued | undefined>;
    /**
     * Records what is due: in one step for each schedule its runs wait, its other slots have their reason, and it is handled.
     *
     * @param second up to which second this process has enqueued then
     * @returns the second up to which a schedule is handled, by key, for those where that was not `from` any more;
     * undefined: the store cannot be reached, and nothing is recorded
     */
    enqueue(due: readonly DueSchedule[], second: number): Promise<ReadonlyMap<string, number> | undefined>;
    /**
     * Records a run that somebody asked for, and resolves with it when it is over, where it is awaited; else at once: with
     * the id of the one that waits, where that is kept.
     */
    request(request: Request): Promise<Run>;
    /** Asks a run to end, wherever it is; one that waits ends at once. Answers whether there is such a run that has not ended. */
    abort(id: string, reason: string): Promise<boolean>;
    /** Gives up at once whatever runs here, because the process ends. */
    abandon(reason: GiveUpReason): void;
    /** Takes back what lies ahead, because the clock was set back. */
    rewind(second: number): Promise<void>;

    /** The pauses, by job; those that have ended by themselves may be among them. */
    pauses(): Promise<readonly Pause[]>;
    /** Pauses a job, or `ALL_JOBS`, instead of any pause before; rejects where that cannot be remembered. */
    pause(pause: Pause): Promise<void>;
    /** Ends a job's pause, or with `ALL_JOBS` every one; slots that came in the meantime do not run. */
    resume(job: string): Promise<void>;
}
