import { describeCrontab } from '../schedule/crontab_words.js';
import type { PreviewDay, PreviewEntry } from '../schedule/preview.js';
import { keepTogether } from '../text/no_break.js';
import { paint } from '../text/paint.js';
import { printable } from '../text/printable.js';
import { type Cell, renderTable } from '../text/table.js';
import { formatMoment, formatUniqueMoment } from '../time/moment.js';

/** How to show days. */
export interface TimelineOptions {
    /** IANA name: whose days and times. */
    readonly timezone: string;
    /** How many columns there are; Infinity in a pipe. */
    readonly width: number;
}

const INDENT = '  ';

/**
 * Shows what is due on one day: a line for each slot, and one for all of a frequent schedule.
 *
 * @param day the day; it has entries
 * @param options how
 * @returns a promise of its lines, a heading first
 */
export async function renderDay(day: PreviewDay, { timezone, width }: TimelineOptions): Promise<string[]> {
    const rows = await Promise.all(day.entries.map((entry) => cellsOf(entry, timezone)));
    const headings = ['TIME', 'JOB', 'COUNT', 'SCHEDULE'];
    const [, ...lines] = renderTable([{ headings, rows }], width - INDENT.length);
    return [headingOf(day.entries[0]?.first ?? 0, timezone), ...lines.map((line) => INDENT + line)];
}

async function cellsOf({ schedule, first, last, count }: PreviewEntry, timezone: string): Promise<Cell[]> {
    const time = (second: number) =>
        formatUniqueMoment(second, timezone)
            .slice(11)
            .replace(/(?<=\d\d:\d\d):00(?= |$)/, '');
    const isFrequent = count > 1;
    const args = schedule.args.length > 0 ? printable(JSON.stringify(schedule.args)) : '';
    const meaning = isFrequent ? await describeCrontab(schedule.crontab) : '';
    return [
        [isFrequent ? keepTogether(`${time(first)} - ${time(last)}`) : time(first)],
        [paint.bold(printable(schedule.job))],
        [isFrequent ? keepTogether(`${count.toLocaleString('en')} times`) : ''],
        [[meaning, args].filter(Boolean).join(' ')],
    ];
}

function headingOf(second: number, timezone: string): string {
    const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: timezone }).format(
        second * 1000,
    );
    return paint.bold(`${weekday} ${formatMoment(second, timezone).slice(0, 10)}`);
}
