import { describeCrontab } from '../schedule/crontab_words.js';
import type { Schedule } from '../schedule/schedule.js';
import { keepTogether } from '../text/no_break.js';
import { paint } from '../text/paint.js';
import { printable } from '../text/printable.js';
import { type Cell, type Layout, renderTable } from '../text/table.js';
import { formatSpan, formatUniqueMoment } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { describeLast } from './last_slot.js';
import { type JobOverview, nextSlots } from './overview.js';
import { describeState } from './state.js';

/** More of a schedule's args is not shown: `show-background-job` has them whole. */
const LONGEST_ARGS = 24;

/** How to show jobs. */
export interface JobTableOptions {
    /** Unix milliseconds. */
    readonly now: number;
    /** IANA name: on its clock times are shown. */
    readonly timezone: string;
    /** How many next slots of each schedule. */
    readonly next: number;
    /** How many columns there are; Infinity in a pipe. */
    readonly width: number;
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
}

interface Row {
    readonly name: string;
    readonly schedule: Cell;
    readonly meaning: string;
    readonly zone: string;
    readonly next: readonly { span: string; moment: string }[];
    readonly last: readonly string[];
    readonly state: readonly string[];
}

/**
 * Shows jobs in a table: a line for each schedule where there is room for it, else two or three.
 *
 * @param jobs in this order
 * @param options how
 * @returns a promise of its lines
 */
export async function renderJobTable(
    jobs: readonly JobOverview[],
    options: JobTableOptions,
): Promise<string[]> {
    const rows = (await Promise.all(jobs.map((job) => rowsOf(job, options)))).flat();
    return renderTable([wide(rows, options.timezone), narrow(rows, options.timezone)], options.width);
}

function wide(rows: readonly Row[], timezone: string): Layout {
    return {
        headings: ['NAME', 'SCHEDULE', 'MEANING', 'ZONE', `NEXT (${timezone})`, 'LAST', 'STATE'],
        rows: rows.map(({ name, schedule, meaning, zone, next, last, state }) => [
            [name],
            [schedule.join(' ')],
            [meaning],
            [zone],
            next.map(({ span, moment }) => [span, moment].filter(Boolean).join(', ')),
            [last.join(', ')],
            [state.join(', ')],
        ]),
    };
}

function narrow(rows: readonly Row[], timezone: string): Layout {
    return {
        headings: ['NAME', 'SCHEDULE', `NEXT (${timezone})`, 'LAST', 'STATE'],
        rows: rows.map(({ name, schedule, meaning, zone, next, last, state }) => [
            [name],
            [...schedule, meaning, zone].filter(Boolean),
            next.flatMap(({ span, moment }) => [span, moment]).filter(Boolean),
            last,
            state,
        ]),
    };
}

async function rowsOf(job: JobOverview, options: JobTableOptions): Promise<Row[]> {
    const { plan, name, state } = job;
    const [first, ...others] = await Promise.all(
        (plan?.schedules ?? []).map((schedule) => scheduleCells(job, schedule, options)),
    );
    const own = {
        name: paint.bold(printable(name)),
        last: describeLast(job.status, options.now),
        state: describeState(job, options),
    };
    const empty = {
        schedule: state === 'unscheduled' ? ['no schedule'] : [],
        meaning: '',
        zone: '',
        next: [],
    };
    return [
        { ...own, ...(first ?? empty) },
        ...others.map((cells) => ({ ...cells, name: '', last: [], state: [] })),
    ];
}

async function scheduleCells(
    { state }: JobOverview,
    schedule: Schedule,
    options: JobTableOptions,
): Promise<Pick<Row, 'schedule' | 'meaning' | 'zone' | 'next'>> {
    const { crontab, timezone, args } = schedule;
    const now = Math.floor(options.now / 1000);
    const slots = state === 'excluded' || state === 'paused' ? [] : nextSlots(schedule, now, options.next);
    const fields = keepTogether(crontab);
    return {
        schedule: args.length > 0 ? [fields, shorten(printable(JSON.stringify(args)))] : [fields],
        meaning: await describeCrontab(crontab),
        zone: timezone === undefined || timezone === processTimezone() ? '' : timezone,
        next: slots.map((slot) => ({
            span: `in ${formatSpan(slot * 1000 - options.now)}`,
            moment: keepTogether(
                formatUniqueMoment(slot, options.timezone).replace(/(?<=\d\d:\d\d):00(?= |$)/, ''),
            ),
        })),
    };
}

function shorten(text: string): string {
    return text.length > LONGEST_ARGS ? `${text.slice(0, LONGEST_ARGS - 1)}…` : text;
}
