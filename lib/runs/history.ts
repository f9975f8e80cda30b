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
    /** In milliseconds; 0 if it has no slot. */
    readonly lateBy: number;
    /** `lost` also if its process is gone and nobody has recorded that yet. */
    readonly outcome: Outcome | 'running';
    /** The name and message. */
    readonly error: string | undefined;
    readonly stack: string | undefined;
}

/** A run that was asked for by its id: it may still be waiting. */
export interface FoundRun extends Omit<PastRun, 'outcome' | 'startedAt'> {
    readonly outcome: PastRun['outcome'] | 'waiting';
    readonly startedAt: number | undefined;
    /** What it has printed, if that is kept. */
    readonly output?: string | undefined;
}

/** A run that has yet to start, or to start again. */
export interface WaitingRun
    extends Readonly<
        Pick<Run, 'id' | 'job' | 'tenant' | 'args' | 'requestedBy' | 'scheduledAt' | 'attempt'>
    > {
    readonly key: string | undefined;
    /** When it may start, in unix milliseconds. */
    readonly runAt: number;
    /** Whether only a free worker is missing: no other run of its lane, no pause and no time to come. */
    readonly isReady: boolean;
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

/** What became of a slot: the worst of its tenants' runs. Times are unix milliseconds. */
export interface PastSlot
    extends Pick<PastRun, 'outcome' | 'reason' | 'error' | 'startedAt' | 'endedAt' | 'manual'> {
    /** The slot, or when a run without one started. */
    readonly at: number;
    /** The run that stands for it; undefined: it was skipped. */
    readonly id: string | undefined;
}

/** How a job is doing. */
export interface JobStatus {
    readonly running: readonly PastRun[];
    /** The runs of the last slot of which any has ended: one for each tenant, and args. */
    readonly ended: readonly PastRun[];
    /** The runs of the last request, if somebody has asked for any since. */
    readonly byHand: readonly PastRun[];
    /** The newest slots that were skipped. */
    readonly skipped: PastSkips | undefined;
}

/** The runs of a job that started in one period. */
export interface Busy {
    readonly job: string;
    /** The start of the period, in unix milliseconds. */
    readonly at: number;
    readonly count: number;
    /** The worst of them. */
    readonly outcome: PastRun['outcome'];
}

/** A process that shows life. */
export interface LivingProcess {
    readonly id: string;
    readonly host: string;
    readonly pid: number;
    /** The app's version there; undefined: that is not known. */
    readonly release: string | undefined;
    /** Unix milliseconds. */
    readonly startedAt: number;
    /** When it last showed life; undefined: that is not known. */
    readonly beatAt: number | undefined;
    /** Up to which unix second it has enqueued; undefined: it does not schedule. */
    readonly enqueuedUntil: number | undefined;
    readonly isGone: boolean;
}

/** Which of a job's runs and skipped slots are asked for. */
export interface Search {
    readonly outcome?: string | undefined;
    /** Its id, as text. */
    readonly tenant?: string | undefined;
}

/** What an engine remembers. Reading takes no lock and changes nothing. */
export interface History {
    /** Whether runs of other processes are in it: without a journal's file, each process only knows its own. */
    readonly isShared: boolean;
    /** How jobs are doing, by name; a job of which nothing is known is not among them. */
    statusOf(jobs: readonly string[]): Promise<ReadonlyMap<string, JobStatus>>;
    /** A job's runs and skipped slots, newest first. */
    search(job: string, search: Search, most: number): Promise<readonly (PastRun | PastSkips)[]>;
    run(job: string, id: string): Promise<FoundRun | undefined>;
    /** What is being executed anywhere. */
    running(): Promise<readonly PastRun[]>;
    /** The last slots of many jobs, newest first. */
    slots(jobs: readonly string[], most: number): Promise<ReadonlyMap<string, readonly PastSlot[]>>;
    /** How long the last scheduled runs of a lane took that succeeded at the first attempt, newest first, in milliseconds. */
    durations(lane: Pick<Run, 'job' | 'args' | 'tenant'>, most: number): Promise<readonly number[]>;
    /** What waits, in order. */
    waitingRuns(most: number): Promise<readonly WaitingRun[]>;
    /** Which jobs ran in each period of `step` milliseconds since a time. */
    since(from: number, step: number): Promise<readonly Busy[]>;
    /** Up to which unix second schedules are handled, by their keys; one that was never seen is not among them. */
    handledUntil(keys: readonly string[]): Promise<ReadonlyMap<string, number>>;
    /** The pauses, by job; those that have ended by themselves may be among them. */
    pauses(): Promise<readonly Pause[]>;
    /** The last second in which any process scheduled jobs; undefined: none ever did, or none is known. */
    workedUntil(): Promise<number | undefined>;
    processes(): Promise<readonly LivingProcess[]>;
    /** A text that differs whenever anything here has changed, except a process's sign of life. */
    version(jobs: readonly string[]): Promise<string>;
    close(): Promise<void>;
}

/** How many of a job's newest manual runs may belong to the last request: more tenants than that are not shown. */
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

/** Runs and skipped slots are sorted by this: when the run started, or the last slot; unix milliseconds. */
export function timeOf(past: PastRun | PastSkips): number {
    return past.kind === 'run' ? past.startedAt : past.last * 1000;
}

const WORST: readonly PastRun['outcome'][] = [
    'running',
    'failed',
    'timed_out',
    'lost',
    'aborted',
    'skipped',
    'succeeded',
];

/** The worse of two outcomes; what still goes on counts most. */
export function worse<O extends PastRun['outcome']>(a: O, b: O): O {
    return WORST.indexOf(a) <= WORST.indexOf(b) ? a : b;
}

/** Merges runs that have a slot in common, and puts skipped slots among them; newest first. */
export function slotsOf(
    runs: readonly (Omit<PastSlot, 'at' | 'id'> & Pick<PastRun, 'id' | 'scheduledAt'>)[],
    skips: readonly Pick<PastSkips, 'first' | 'last' | 'count' | 'reason'>[],
    most: number,
): PastSlot[] {
    const slots = new Map<string, PastSlot>();
    for (const { id, scheduledAt, manual, outcome, startedAt, endedAt, reason, error } of runs) {
        const isAlone = manual || scheduledAt === undefined;
        const key = isAlone ? id : String(scheduledAt);
        const at = isAlone ? startedAt : scheduledAt * 1000;
        const slot = { at, id, outcome, startedAt, endedAt, reason, error, manual };
        const known = slots.get(key) ?? slot;
        const worst = worse(known.outcome, outcome) === known.outcome ? known : slot;
        const ends = [known.endedAt, endedAt].filter((end) => end !== undefined);
        slots.set(key, {
            ...worst,
            startedAt: Math.min(known.startedAt, startedAt),
            endedAt: ends.length === 2 ? Math.max(...ends) : undefined,
        });
    }
    const skipped = skips.flatMap(({ first, last, count, reason }) =>
        Array.from({ length: Math.min(count, most) }, (_, index): PastSlot => {
            const at = (last - (count > 1 ? (index * (last - first)) / (count - 1) : 0)) * 1000;
            const span = { at, startedAt: at, endedAt: at };
            return { ...span, outcome: 'skipped', reason, error: undefined, id: undefined, manual: false };
        }),
    );
    return [...slots.values(), ...skipped].sort((a, b) => b.at - a.at).slice(0, most);
}
