import type { PastRun, PastSkips } from '../runs/history.js';
import { keepTogether } from '../text/no_break.js';
import { paint, paintOutcome } from '../text/paint.js';
import { printable } from '../text/printable.js';
import { renderTable } from '../text/table.js';
import { formatDuration } from '../time/duration.js';
import { formatUniqueMoment } from '../time/moment.js';
import { thrownAt } from './thrown_at.js';

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
    const rows = past.map((one) => (one.kind === 'run' ? runRow(one, options) : skipRow(one, options)));
    const start = `START (${options.timezone})`;
    const wide = {
        headings: [start, 'OUTCOME', 'TOOK', 'LATE', 'TENANT', 'ARGS', 'DETAILS'],
        rows: rows.map(({ moment, outcome, took, late, tenant, args, details }) => [
            ...[moment, outcome, took, late, tenant, args].map((text) => [text]),
            details,
        ]),
    };
    const narrow = {
        headings: [start, 'OUTCOME', 'TOOK', 'DETAILS'],
        rows: rows.map(({ moment, outcome, took, late, tenant, args, details }) => [
            ...[moment, outcome, took].map((text) => [text]),
            [tenant && `tenant ${tenant}`, args, late && `${late} late`, ...details].filter(Boolean),
        ]),
    };
    return renderTable([wide, narrow], options.width);
}

interface Row {
    readonly moment: string;
    readonly outcome: string;
    readonly took: string;
    readonly late: string;
    readonly tenant: string;
    readonly args: string;
    readonly details: readonly string[];
}

function runRow(run: PastRun, { now, timezone, root }: PastTableOptions): Row {
    const { outcome, startedAt, endedAt, lateBy, manual, attempt, reason, error, stack } = run;
    const isRunning = outcome === 'running';
    const notes = [manual && 'by hand', attempt > 1 && `attempt ${attempt}`, reason]
        .filter(Boolean)
        .join(', ');
    const place = stack && thrownAt(stack, root);
    return {
        ...forWhom(run),
        moment: momentOf(startedAt / 1000, timezone),
        outcome: isRunning ? paint.cyan(outcome) : paintOutcome(outcome),
        took:
            isRunning || endedAt !== undefined
                ? keepTogether(formatDuration((endedAt ?? now) - startedAt))
                : '',
        late: lateBy >= NOTABLE_LATENESS ? keepTogether(formatDuration(lateBy)) : '',
        details: [notes, ...(error?.split(/\r?\n/) ?? []), place ? `at ${place}` : '']
            .map(printable)
            .filter(Boolean),
    };
}

function skipRow(skips: PastSkips, { timezone }: PastTableOptions): Row {
    const { first, last, count, atLeast, reason } = skips;
    const until = momentOf(last, timezone);
    const several = `, ${atLeast ? 'over ' : ''}${count} slots up to ${until}`;
    return {
        ...forWhom(skips),
        moment: momentOf(first, timezone),
        outcome: paintOutcome('skipped'),
        took: '',
        late: '',
        details: [printable(reason) + (count > 1 || atLeast ? several : '')],
    };
}

function forWhom({ tenant, args }: PastRun | PastSkips): Pick<Row, 'tenant' | 'args'> {
    return {
        tenant: tenant === undefined ? '' : printable(String(tenant)),
        args: args.length > 0 ? printable(JSON.stringify(args)) : '',
    };
}

function momentOf(second: number, timezone: string): string {
    return keepTogether(formatUniqueMoment(Math.floor(second), timezone));
}
