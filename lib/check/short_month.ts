import { type CrontabFields, crontabWith, fieldsOf } from './crontab_fields.js';
import type { Flaw } from './flaw.js';

const MONTHS = [
    'January',
    'February',
    'March',
    'April',
    'May',
    'June',
    'July',
    'August',
    'September',
    'October',
    'November',
    'December',
];

/** How many days each month has, in a year that is no leap year. */
const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Finds a day that not all months have: `0 0 31 * *` runs in seven months of the year.
 *
 * @param crontab five or six fields or a nickname, readable
 * @returns the flaw, or undefined
 */
export function shortMonth(crontab: string): Flaw | undefined {
    const fields = fieldsOf(crontab);
    const { dayOfMonth, month, dayOfWeek } = fields;
    if (dayOfWeek !== '*' || !/^\d+(?:,\d+)*$/.test(dayOfMonth)) return undefined;
    const day = Math.max(...dayOfMonth.split(',').map(Number));
    const skipped = LENGTHS.flatMap((length, index) =>
        length < day && hasMonth(month, index) ? [MONTHS[index] as string] : [],
    );
    if (skipped.length === 0) return undefined;
    const outside = day === 29 ? ' outside of leap years' : '';
    return {
        rule: 'short-month',
        message: `it skips ${inWords(skipped)}${outside}, for want of a day ${day}`,
        cure: `for the last day of the month write '${withLastDay(fields, day)}'; else choose a day up to 28`,
    };
}

function hasMonth(text: string, index: number): boolean {
    return text.split(',').some((item) => {
        const [range = '', step = '1'] = item.split('/');
        const [low, high] = range === '*' ? [1, 12] : endsOf(range);
        const month = index + 1;
        return month >= low && month <= high && (month - low) % Number(step) === 0;
    });
}

function endsOf(range: string): [low: number, high: number] {
    const [low = 0, high = low] = range.split('-').map((end) => {
        const named = MONTHS.findIndex((name) => name.slice(0, 3).toUpperCase() === end.toUpperCase());
        return named === -1 ? Number(end) : named + 1;
    });
    return [low, high];
}

function withLastDay(fields: CrontabFields, day: number): string {
    const days = fields.dayOfMonth.split(',').map((text) => (Number(text) === day ? 'L' : text));
    return crontabWith(fields, { dayOfMonth: days.join(',') });
}

function inWords(names: readonly string[]): string {
    return names.length === 1 ? (names[0] as string) : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
