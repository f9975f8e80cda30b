import { formatDuration } from '../duration.js';
import type { PastRun, PastSkips } from '../history.js';
import { formatMoment, formatSpan } from '../moment.js';
import { paint, paintOutcome } from '../paint.js';
import { type Cell, keepTogether, renderTable } from '../table.js';
import { thrownAt } from '../thrown_at.js';

/** How to show what was. */
export interface PastTableOptions {
    /** Unix milliseconds. */
    readonly now: number;
    /** IANA name: on its clock times are shown. */
    readonly timezone: string;
    /** How many columns there are; Infinity in a pipe. */
    readonly width: number;
    /** The app's folder: places in it are shown from there. */
    readonly root: string;
}

/** Less is what any start takes, in milliseconds. */
const NOTABLE_LATENESS = 1_000;

/**
 * Shows runs and skipped slots in a table.
 *
 * @param past in this order
 * @param options how
 * @returns its lines
 */
export function renderPast(past: readonly (PastRun | PastSkips)[], options: PastTableOptions): string[] {
    const rows = past.map((one) => (one.kind === 'run' ? runCells(one, options) : skipCells(one, options)));
    const headings = [`START (${options.timezone})`, 'OUTCOME', 'TOOK', 'LATE', 'TENANT', 'ARGS', 'DETAILS'];
    return renderTable([{ headings, rows }], options.width);
}

function runCells(run: PastRun, { now, timezone, root }: PastTableOptions): Cell[] {
    const { outcome, startedAt, endedAt, lateBy, tenant, args, manual, attempt, reason, error, stack } = run;
    const isRunning = outcome === 'running';
    const notes = [manual && 'by hand', attempt > 1 && `attempt ${attempt}`, reason]
        .filter(Boolean)
        .join(', ');
    const place = stack && thrownAt(stack, root);
    return [
        [momentOf(startedAt / 1000, timezone)],
        [isRunning ? paint.cyan(outcome) : paintOutcome(outcome)],
        [
            keepTogether(
                endedAt === undefined
                    ? isRunning
                        ? formatSpan(now - startedAt)
                        : ''
                    : formatDuration(endedAt - startedAt),
            ),
        ],
        [lateBy >= NOTABLE_LATENESS ? keepTogether(formatDuration(lateBy)) : ''],
        [tenant === undefined ? '' : String(tenant)],
        [args.length > 0 ? JSON.stringify(args) : ''],
        [notes, ...(error ? error.split('\n') : []), place ? `at ${place}` : ''].filter(Boolean),
    ];
}

function skipCells(skips: PastSkips, { timezone }: PastTableOptions): Cell[] {
    const { first, last, count, atLeast, reason, tenant, args } = skips;
    const number =
        count > 1 || atLeast
            ? `, ${atLeast ? 'over ' : ''}${count} slots up to ${momentOf(last, timezone)}`
            : '';
    return [
        [momentOf(first, timezone)],
        [paintOutcome('skipped')],
        [''],
        [''],
        [tenant === undefined ? '' : String(tenant)],
        [args.length > 0 ? JSON.stringify(args) : ''],
        [`${reason}${number}`],
    ];
}

function momentOf(second: number, timezone: string): string {
    return keepTogether(formatMoment(Math.floor(second), timezone));
}
