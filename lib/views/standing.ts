import { type JobStatus, type PastRun, worse } from '../runs/history.js';
import { paintOutcome } from '../runs/log.js';
import { describePause } from '../runs/pause.js';
import type { Outcome } from '../runs/run.js';
import { paint } from '../text/paint.js';
import { formatDuration } from '../time/duration.js';
import { formatSpan } from '../time/moment.js';
import type { JobOverview } from './overview.js';
import type { Page } from './page.js';

/** Takes the runs of a slot, or of a request, together: one for each tenant, or args. The worst outcome stands for all. */
export function lastSlotOf(runs: readonly PastRun[]) {
    if (runs.length === 0) return undefined;
    const outcome = runs.map((run) => run.outcome as Outcome).reduce(worse);
    const ends = runs.flatMap(({ endedAt }) => endedAt ?? []);
    return {
        outcome,
        /** How many ended that way. */
        count: runs.filter((run) => run.outcome === outcome).length,
        runs,
        startedAt: Math.min(...runs.map(({ startedAt }) => startedAt)),
        /** undefined where a process died, and nobody has noticed when. */
        endedAt: ends.length === runs.length ? Math.max(...ends) : undefined,
    };
}

type LastSlot = NonNullable<ReturnType<typeof lastSlotOf>>;

/** How a job did last, at its last slot, and by hand since: `'failed 3 min ago, took 2.4 s, then 14 skipped (overlap)'`. */
export function describeLast(status: JobStatus | undefined, now: number): string {
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
        phrases.push(...(phrases.length > 0 ? [`then ${outcome}`] : [outcome, ...took]));
    }
    return phrases.join(', ');
}

function describe({ outcome, count, runs, startedAt, endedAt }: LastSlot, now: number, how = ''): string[] {
    const share = count < runs.length ? ` for ${count} of ${runs.length},` : '';
    const age = formatSpan(now - (endedAt ?? startedAt));
    const took = endedAt === undefined ? [] : [`took ${formatDuration(endedAt - startedAt)}`];
    return [`${paintOutcome(outcome)}${how}${share} ${age} ago`, ...took];
}

/** How a job stands: `'paused until 2026-11-25 14:00: supplier down, running for 5 s'`; nothing where it just waits for its next slot. */
export function describeState(
    { state, pause, status }: JobOverview,
    { now, environment, timezone }: Omit<Page, 'width'>,
): string {
    const [running, ...others] = status?.running ?? [];
    const number = others.length > 0 ? `${others.length + 1} ` : '';
    return [
        state === 'invalid' && paint.red('invalid'),
        pause && paint.yellow('paused') + describePause(pause, timezone),
        state === 'excluded' && paint.dim(`not in ${environment}`),
        running && `${number}${paint.cyan('running')} for ${formatSpan(now - running.startedAt)}`,
    ]
        .filter(Boolean)
        .join(', ');
}
