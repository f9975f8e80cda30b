import type { FoundRun, PastRun, PastSkips } from '../runs/history.js';
import { durationOf } from '../runs/run.js';
import { formatDuration } from '../time/duration.js';

// What commands and pages say of runs. Each writes moments in its own way, and makes what others have written fit for it.

/** Less is what any start takes, in milliseconds. */
const NOTABLE_LATENESS = 1_000;

/** What is known of a run, in the order in which it is told, in words and moments. */
export function factsOf<Moment>(
    run: FoundRun,
    moment: (unixMilliseconds: number) => Moment,
): (readonly [name: string, value: readonly (string | Moment)[]])[] {
    const { startedAt, endedAt, scheduledAt, schedule, lateBy, attempt, tenant, args } = run;
    const took = durationOf(run);
    const facts: [string, false | string | Moment | (string | Moment)[] | undefined][] = [
        ['reason', run.reason],
        ['slot', scheduledAt !== undefined && [moment(scheduledAt * 1000), `, ${schedule ?? 'by hand'}`]],
        ['requested by', run.manual && (run.requestedBy ?? 'unknown')],
        ['started', startedAt !== undefined && moment(startedAt)],
        ['ended', endedAt !== undefined && moment(endedAt)],
        ['took', took !== undefined && formatDuration(took)],
        ['late by', lateBy > 0 && formatDuration(lateBy)],
        ['attempts', attempt > 0 && String(attempt)],
        ['tenant', tenant !== undefined && String(tenant)],
        ['args', args.length > 0 && JSON.stringify(args)],
        ['process', startedAt !== undefined && run.host !== '' && `${run.pid} on ${run.host}`],
    ];
    return facts.flatMap(([name, value]) =>
        value ? [[name, [value].flat() as (string | Moment)[]] as const] : [],
    );
}

/** What a table of past runs says of one, or of skipped slots; the texts are empty where there is nothing to say. */
export function pastFactsOf(past: PastRun | PastSkips, now: number, moment: (unixSeconds: number) => string) {
    if (past.kind === 'skips') {
        const { first, last, count, reason, atLeast } = past;
        const number = `${atLeast ? 'over ' : ''}${count}`;
        const details = count > 1 || atLeast ? `${reason}, ${number} slots up to ${moment(last)}` : reason;
        return { at: first * 1000, outcome: 'skipped', took: '', late: '', details } as const;
    }
    const { outcome, startedAt, lateBy, manual, requestedBy, attempt, reason } = past;
    const endedAt = outcome === 'running' ? now : past.endedAt;
    const details = [
        manual && 'by hand',
        requestedBy !== undefined && `by ${requestedBy}`,
        attempt > 1 && `attempt ${attempt}`,
        reason,
    ];
    return {
        at: startedAt,
        outcome,
        took: endedAt === undefined ? '' : formatDuration(endedAt - startedAt),
        late: lateBy >= NOTABLE_LATENESS ? formatDuration(lateBy) : '',
        details: details.filter(Boolean).join(', '),
    };
}
