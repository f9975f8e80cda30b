import type { History, PastRun, PastSkips } from './history.js';
import type { Outcome, Run, TenantId } from './run.js';

/** A run that was asked for by its id: it may wait still. */
export type FoundRun = Omit<PastRun, 'outcome' | 'startedAt'> & {
    readonly outcome: PastRun['outcome'] | 'waiting';
    readonly startedAt: number | undefined;
    /** Who asked for it, and what it has printed, where that is kept. */
    readonly requestedBy?: string | undefined;
    readonly output?: string | undefined;
};

/** A run that has yet to start, or to start again. */
export interface WaitingRun {
    readonly id: string;
    readonly job: string;
    readonly tenant: TenantId | undefined;
    readonly args: readonly unknown[];
    readonly key: string | undefined;
    readonly requestedBy: string | undefined;
    /** In unix seconds; undefined: it has no slot. */
    readonly scheduledAt: number | undefined;
    /** When it may start, in unix milliseconds. */
    readonly runAt: number;
    /** 0: it has never started. */
    readonly attempt: number;
    /** Whether nothing but a free worker is missing: no other run of its lane, no pause and no time to come. */
    readonly isReady: boolean;
}

/** What became of a slot: of all its tenants' runs together, the worst. Times are unix milliseconds. */
export interface PastSlot {
    /** The slot, or when the run of no slot started. */
    readonly at: number;
    readonly outcome: Outcome | 'running';
    readonly reason: string | undefined;
    /** The name and message of what it failed with. */
    readonly error: string | undefined;
    /** The run that stands for it; undefined: it was skipped. */
    readonly id: string | undefined;
    readonly startedAt: number;
    readonly endedAt: number | undefined;
    readonly manual: boolean;
}

/** A stretch of time in which a job ran. */
export interface Busy {
    readonly job: string;
    /** Its beginning, in unix milliseconds. */
    readonly at: number;
    readonly count: number;
    readonly outcome: Outcome | 'running';
}

/** A process that shows life. */
export interface LivingProcess {
    readonly id: string;
    readonly host: string;
    readonly pid: number;
    /** Unix milliseconds. */
    readonly startedAt: number;
    /** When it showed life; undefined: only that it did is known. */
    readonly beatAt: number | undefined;
    /** Up to which unix second it has enqueued; undefined: it does not schedule. */
    readonly enqueuedUntil: number | undefined;
    readonly isGone: boolean;
}

/** Which of a job's runs and skipped slots are asked for. */
export interface Search {
    readonly outcome?: string | undefined;
    /** Its id, in writing. */
    readonly tenant?: string | undefined;
}

/** What pages ask of a history. Nothing here takes a lock, or changes anything. */
export interface Lookups extends History {
    run(job: string, id: string): Promise<FoundRun | undefined>;
    /** What is being executed anywhere. */
    running(): Promise<readonly PastRun[]>;
    /** Newest first. */
    search(job: string, search: Search, most: number): Promise<readonly (PastRun | PastSkips)[]>;
    /** The last slots of many jobs, newest first. */
    slots(jobs: readonly string[], most: number): Promise<ReadonlyMap<string, readonly PastSlot[]>>;
    /** What the last scheduled runs of a lane have taken that succeeded in their first attempt, newest first, in milliseconds. */
    durations(lane: Pick<Run, 'job' | 'args' | 'tenant'>, most: number): Promise<readonly number[]>;
    /** What waits, in order. */
    waitingRuns(most: number): Promise<readonly WaitingRun[]>;
    /** Which jobs ran in each stretch of `step` milliseconds since a time. */
    since(from: number, step: number): Promise<readonly Busy[]>;
    /** Up to which unix second schedules are handled, by their keys; one that was never seen is not among them. */
    handledUntil(keys: readonly string[]): Promise<ReadonlyMap<string, number>>;
    processes(): Promise<readonly LivingProcess[]>;
    /** Another text whenever anything here has changed, but a process's sign of life. */
    version(jobs: readonly string[]): Promise<string>;
}

const WORST: readonly PastSlot['outcome'][] = [
    'running',
    'failed',
    'timed_out',
    'lost',
    'aborted',
    'skipped',
    'succeeded',
];

/** The worse of two outcomes; what still goes on counts most. */
export function worse<O extends PastSlot['outcome']>(a: O, b: O): O {
    return WORST.indexOf(a) <= WORST.indexOf(b) ? a : b;
}

/** What slots are made of. */
export type SlotPart = Pick<
    PastRun,
    'id' | 'scheduledAt' | 'manual' | 'outcome' | 'startedAt' | 'endedAt' | 'reason' | 'error'
>;

/** Takes runs together that have a slot in common, and puts skipped slots among them; newest first. */
export function slotsOf(
    runs: readonly SlotPart[],
    skips: readonly Pick<PastSkips, 'first' | 'last' | 'count' | 'reason'>[],
    most: number,
): PastSlot[] {
    const slots = new Map<string, PastSlot>();
    for (const { id, scheduledAt, manual, outcome, startedAt, endedAt, reason, error } of runs) {
        const key = manual || scheduledAt === undefined ? id : String(scheduledAt);
        const at = manual || scheduledAt === undefined ? startedAt : scheduledAt * 1000;
        const slot = { at, id, outcome, startedAt, endedAt, reason, error, manual };
        const known = slots.get(key);
        if (!known) {
            slots.set(key, slot);
            continue;
        }
        const worst = worse(known.outcome, outcome) === known.outcome ? known : slot;
        const ends = known.endedAt === undefined || endedAt === undefined ? [] : [known.endedAt, endedAt];
        slots.set(key, {
            ...worst,
            startedAt: Math.min(known.startedAt, startedAt),
            endedAt: ends.length > 0 ? Math.max(...ends) : undefined,
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
