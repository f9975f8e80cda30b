import { durationOf, latenessOf, type Outcome, type Run } from '../runs/run.js';
import { printable } from '../text/printable.js';
import { isoMoment, isoSecond } from '../time/iso_time.js';

/**
 * Writes a run for a program.
 *
 * @param run the run, when it is over
 * @returns what JSON can carry: moments as ISO texts, lengths in milliseconds, null for what there is not
 */
export function recordOf(run: Run): object {
    const { scheduledAt, startedAt, endedAt, error } = run;
    return {
        id: run.id,
        job: run.job,
        schedule: run.schedule ?? null,
        args: run.args,
        tenant: run.tenant ?? null,
        manual: run.manual,
        scheduledAt: scheduledAt === undefined ? null : isoSecond(scheduledAt),
        startedAt: startedAt === undefined ? null : isoMoment(startedAt),
        endedAt: endedAt === undefined ? null : isoMoment(endedAt),
        duration: durationOf(run) ?? null,
        lateBy: startedAt === undefined ? null : latenessOf(run),
        attempt: run.attempt,
        outcome: run.outcome ?? null,
        reason: run.reason ?? null,
        error: error ?? null,
    };
}

/** Another run of its lane goes on: sysexits(3) calls that a temporary failure, and asks to try again. */
const BUSY = 75;

/** Skips that somebody who has asked for the runs may have wanted. */
const HARMLESS_SKIPS = ['environment', 'no tenants'];

/**
 * The exit code of a command that has waited for runs.
 *
 * @param runs the runs, when they are over
 * @returns 75 where nothing went wrong but a busy lane, else 1; undefined where nothing did
 */
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

/**
 * Sums runs up, in one line.
 *
 * @param runs the runs, when they are over
 * @returns `'4 runs: 2 succeeded, 1 failed (send-invoices [tenant b]), 1 skipped (clean-up)'`
 */
export function summarise(runs: readonly Run[]): string {
    const counts = ORDER.flatMap((outcome) => {
        const some = runs.filter((run) => run.outcome === outcome);
        if (some.length === 0) return [];
        return `${some.length} ${outcome}${outcome === 'succeeded' ? '' : ` (${namesOf(some)})`}`;
    });
    return `${runs.length} run${runs.length === 1 ? '' : 's'}: ${counts.join(', ')}`;
}

function namesOf(runs: readonly Run[]): string {
    const names = runs
        .slice(0, FEW)
        .map(({ job, tenant }) => printable(job + (tenant === undefined ? '' : ` [tenant ${tenant}]`)));
    return [...names, ...(runs.length > FEW ? [`${runs.length - FEW} more`] : [])].join(', ');
}
