import type { Config, JournalSettings } from '../config/config.js';
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

/** The slots of a schedule since `from`: each is to run, or has a reason not to. */
export interface DueSchedule {
    readonly schedule: Schedule;
    readonly plan: JobPlan;
    /** Its place among the schedules of one second. */
    readonly position: number;
    /** Up to which second it was handled when this was decided; it is only recorded if that is still so. */
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
    /** Whether this was decided after a gap, and so replaces what was decided for slots that have waited since before it. */
    readonly decidesAnew: boolean;
}

/** A run that was taken from the queue, to be executed. */
export interface TakenRun {
    readonly kind: 'run' | 'slot';
    readonly run: Run;
    /** Aborted when the run is to end. */
    readonly signal: AbortRequest;
    /** When it could start, in unix milliseconds: its tenant existed then. */
    readonly dueAt: number;
    /** Takes what it prints. */
    readonly output: Output;
}

/** What becomes of a run after an attempt. */
export type Result =
    | { kind: 'ended'; outcome: Exclude<Outcome, 'lost'>; reason?: string; error?: ErrorRecord | undefined }
    /** Its next attempt is due at `at`, in unix milliseconds. */
    | { kind: 'retries'; at: number; error: ErrorRecord }
    /** A slot runs for each of these; undefined: once, without a tenant. */
    | { kind: 'fans out'; tenants: readonly TenantId[] | undefined };

/** How long to wait for a store that another process keeps locked. */
export interface LockTimeout {
    readonly milliseconds: number;
    /** Ends the wait when it is aborted. */
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

/** What an engine needs of the bot. */
export interface EngineHost extends HistoryHost {
    readonly clock: Clock;
    readonly emit: Emit;
    readonly config: Pick<Config, 'concurrency' | 'turn'>;
    /** How many of each job's last runs that did not fail keep their output; 0: no output is kept at all. */
    readonly outputKept: number;
    /** How long to wait for a locked store; undefined: until it is free. */
    readonly lockTimeout?: LockTimeout | undefined;
    /** The job's plan; undefined: this process does not know the job. */
    planOf(job: string): JobPlan | undefined;
    /** How many failed runs in a row raise an alert; Infinity: none do. */
    failingAfter(job: string): number;
    /** Executes an attempt of a run, or lists the tenants of a slot. Never rejects. */
    perform(taken: TakenRun): Promise<Result>;
    /** Called when all schedules have to be looked at again: the store is back, or was replaced by another. */
    recovered(): void;
}

export interface Request {
    /** `slot`: the tenants are listed when it is taken, and each gets a run. Default `run`. */
    readonly kind?: TakenRun['kind'];
    readonly run: Run;
    readonly plan: JobPlan;
    /** Whether somebody in this process waits for it: then no other process executes it. */
    readonly isAwaited: boolean;
    /** Those with the same number, which is below -1, take turns; undefined: it needs none. */
    readonly batch?: number | undefined;
    /** Unix milliseconds; undefined: as soon as possible. */
    readonly runAt?: number | undefined;
    /** Whether it waits while its job is paused. */
    readonly heedsPauses?: boolean | undefined;
    /** At most one run of its job with this key waits for its first attempt. */
    readonly key?: RequestKey | undefined;
}

/** While a run of the job with the same key waits, a request is dropped (`keep`), or takes its place (`replace`). */
export interface RequestKey {
    readonly name: string;
    readonly whenQueued: 'keep' | 'replace';
}

export interface WaitingSlots {
    of(schedule: Schedule): readonly number[];
}

/** Up to when slots have been enqueued. */
export interface LastEnqueued {
    /** Unix seconds; -Infinity: nobody has enqueued yet. */
    readonly second: number;
    /** Whether another process works now. */
    readonly byOthers: boolean;
}

/** Where runs wait, are taken, and are remembered. All engines pass the same tests: `test/conformance/suite.ts`. */
export interface Engine {
    /** What the log calls it: `'embedded, journal bot_production.db'`. */
    readonly description: string;
    /** Whether nothing is about to start here, or to be recorded. */
    readonly isIdle: boolean;
    /** Does nothing if it is open. Before `work()` it only executes what is requested here. */
    open(host: EngineHost): Promise<void>;
    /** Starts to take whatever waits, and what dead processes have left. */
    work(): void;
    /** Only takes what somebody here waits for, from now on. */
    rest(): void;
    /** Releases everything, once no run goes on. */
    close(): Promise<void>;
    history(host: HistoryHost): Promise<History>;

    /**
     * Up to which second each schedule is handled, by its key; `now` for one that was never seen before.
     * Undefined: the store cannot be reached.
     */
    handledUntil(
        schedules: readonly Schedule[],
        now: number,
    ): Promise<ReadonlyMap<string, number> | undefined>;
    /** The slots that wait for their first attempt, in unix seconds, oldest first. */
    waiting(): Promise<WaitingSlots>;
    /** How far any process has enqueued; undefined: the store cannot be reached. */
    lastEnqueued(): Promise<LastEnqueued | undefined>;
    /**
     * Records what is due. For each schedule, one step stores its runs as waiting, its other slots with their reason, and
     * that it is handled.
     *
     * @param second up to which this process has then enqueued
     * @returns for the schedules that were no longer handled up to `from`: up to which second they are, by key;
     * undefined: the store cannot be reached, and nothing is recorded
     */
    enqueue(due: readonly DueSchedule[], second: number): Promise<ReadonlyMap<string, number> | undefined>;
    /**
     * Records a run that somebody asked for. If it is awaited, resolves with it when it is over; if not, immediately, with
     * the run that waits under its key if that one is kept.
     */
    request(request: Request): Promise<Run>;
    /** Asks a run to end, wherever it is; one that waits ends immediately. False: there is none, or it has ended. */
    abort(id: string, reason: string): Promise<boolean>;
    /** Gives up whatever runs here, because the process ends. */
    abandon(reason: GiveUpReason): void;
    /** Takes back what is recorded after this second, because the clock was set back. */
    rewind(second: number): Promise<void>;

    /** The pauses, by job; those that have ended by themselves may be among them. */
    pauses(): Promise<readonly Pause[]>;
    /** Pauses a job, or `ALL_JOBS`; replaces an earlier pause. Rejects if it cannot be recorded. */
    pause(pause: Pause): Promise<void>;
    /** Ends a job's pause, or with `ALL_JOBS` every pause; slots that came in the meantime do not run. */
    resume(job: string): Promise<void>;
}
