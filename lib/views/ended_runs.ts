import type { History } from '../runs/history.js';
import { laneOf, type Outcome, type Run } from '../runs/run.js';
import { count } from '../text/format.js';
import { printable } from '../text/printable.js';
import { formatDuration } from '../time/duration.js';
import { formatUniqueMoment } from '../time/moment.js';

/** Another run of its lane goes on: sysexits(3) calls that a temporary failure, and asks to try again. */
const BUSY = 75;

/** Skips that somebody who has asked for the runs may have wanted. */
const HARMLESS_SKIPS = ['environment', 'no tenants'];

/** The exit code of a command that has waited for runs: 75 where nothing went wrong but a busy lane, else 1. */
export function exitCodeFor(runs: readonly Pick<Run, 'outcome' | 'reason'>[]): number | undefined {
    const wrong = runs.filter(
        ({ outcome, reason }) =>
            outcome !== 'succeeded' && !(outcome === 'skipped' && HARMLESS_SKIPS.includes(reason ?? '')),
    );
    if (wrong.length === 0) return undefined;
    return wrong.every(({ outcome, reason }) => outcome === 'skipped' && reason === 'overlap') ? BUSY : 1;
}

/** As many runs as a summary names. */
const FEW = 5;

const ORDER: readonly Outcome[] = ['succeeded', 'failed', 'timed_out', 'aborted', 'lost', 'skipped'];

/** Sums ended runs up: `'4 runs: 2 succeeded, 1 failed (send-invoices [tenant b]), 1 skipped (clean-up)'`. */
export function summarise(runs: readonly Run[]): string {
    const counts = ORDER.flatMap((outcome) => {
        const some = runs.filter((run) => run.outcome === outcome);
        if (some.length === 0) return [];
        return `${some.length} ${outcome}${outcome === 'succeeded' ? '' : ` (${namesOf(some)})`}`;
    });
    return `${count(runs.length, 'run')}: ${counts.join(', ')}`;
}

function namesOf(runs: readonly Run[]): string {
    const names = runs
        .slice(0, FEW)
        .map(({ job, tenant }) => printable(job + (tenant === undefined ? '' : ` [tenant ${tenant}]`)));
    return [...names, ...(runs.length > FEW ? [`${runs.length - FEW} more`] : [])].join(', ');
}

/** Among as many of a job's newest runs the holder of a lane is looked for. */
const NEWEST = 100;

/**
 * Says which run of another process keeps a run from its lane, and what to do where that process is gone.
 *
 * @param now unix milliseconds
 * @returns undefined where nothing is known
 */
export async function describeHolder(run: Run, history: History, now: number): Promise<string | undefined> {
    const past = await history.of(run.job, NEWEST);
    const holder = past.find(
        (found) => found.kind === 'run' && found.endedAt === undefined && laneOf(found) === laneOf(run),
    );
    if (holder?.kind !== 'run') return undefined;
    const { startedAt, pid, host, outcome } = holder;
    const since = `since ${formatUniqueMoment(startedAt / 1000)} (${formatDuration(now - startedAt)})`;
    return outcome === 'running'
        ? `That run has been going on ${since}, in process ${pid} of ${host}.`
        : `That run has been unfinished ${since}, and its process ${pid} is gone: a started bot gives it up within some 10 s.`;
}
