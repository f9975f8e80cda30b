import type { JobStatus, PastRun } from '../runs/history.js';
import type { Outcome } from '../runs/run.js';
import { keepTogether } from '../text/no_break.js';
import { paint, paintOutcome } from '../text/paint.js';
import { formatDuration } from '../time/duration.js';
import { formatSpan } from '../time/moment.js';

/** From the worst to the best: of several tenants' runs the worst is told. */
const OUTCOMES: readonly Outcome[] = ['failed', 'timed_out', 'lost', 'aborted', 'skipped', 'succeeded'];

/** How the runs of a slot, or of a request, ended, taken together. Times are unix milliseconds. */
export interface LastSlot {
    /** The worst of them. */
    readonly outcome: Outcome;
    /** How many ended that way. */
    readonly count: number;
    readonly runs: readonly PastRun[];
    readonly startedAt: number;
    /** undefined where a process died, and nobody has noticed when. */
    readonly endedAt: number | undefined;
}

/**
 * Takes the runs of a slot, or of a request, together: one for each tenant, or args.
 *
 * @param ended the runs
 * @returns what is to be told of them; undefined where there are none
 */
export function lastSlotOf(ended: readonly PastRun[]): LastSlot | undefined {
    const outcome = OUTCOMES.find((worst) => ended.some((run) => run.outcome === worst));
    if (outcome === undefined) return undefined;
    const ends = ended.flatMap(({ endedAt }) => endedAt ?? []);
    return {
        outcome,
        count: ended.filter((run) => run.outcome === outcome).length,
        runs: ended,
        startedAt: Math.min(...ended.map(({ startedAt }) => startedAt)),
        endedAt: ends.length === ended.length ? Math.max(...ends) : undefined,
    };
}

/**
 * Says how a job did last: at its last slot, and by hand since.
 *
 * @param status what is known of the job
 * @param now unix milliseconds
 * @returns phrases: `'failed 3 min ago'`, `'took 2.4 s'`, `'then 14 skipped (overlap)'`; none where nothing has run
 */
export function describeLast(status: JobStatus | undefined, now: number): string[] {
    const slot = lastSlotOf(status?.ended ?? []);
    const request = lastSlotOf(status?.byHand ?? []);
    const phrases = slot ? describe(slot, now) : [];
    const { skipped } = status ?? {};
    if (skipped && skipped.last * 1000 > (slot?.startedAt ?? 0)) {
        const number = `${skipped.atLeast ? 'over ' : ''}${skipped.count}`;
        phrases.push(`${slot ? 'then ' : ''}${number} ${paint.yellow('skipped')} (${skipped.reason})`);
    }
    if (request) {
        const [outcome = '', ...took] = describe(request, now, ' by hand');
        phrases.push(phrases.length > 0 ? `then ${outcome}` : outcome, ...(phrases.length > 0 ? [] : took));
    }
    return phrases;
}

function describe({ outcome, count, runs, startedAt, endedAt }: LastSlot, now: number, how = ''): string[] {
    const share = count < runs.length ? ` ${keepTogether(`for ${count} of ${runs.length},`)}` : '';
    const age = keepTogether(`${formatSpan(now - (endedAt ?? startedAt))} ago`);
    const took = endedAt === undefined ? [] : [keepTogether(`took ${formatDuration(endedAt - startedAt)}`)];
    return [`${paintOutcome(outcome)}${how}${share} ${age}`, ...took];
}
