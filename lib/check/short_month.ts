import { type Crontab, crontabWith, readCrontab } from '../schedule/crontab.js';
import { isValue, valuesOf } from '../schedule/crontab_field.js';
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
 * Finds a day that not all months have: `0 0 31 * *` runs in seven months of the year, and so does `0 0 31W * *`. Of a
 * range the first day counts.
 *
 * @param crontab five or six fields or a nickname, readable
 * @returns the flaw, or undefined
 */
export function shortMonth(crontab: string): Flaw | undefined {
    const read = readCrontab(crontab);
    const { items } = read.dayOfMonth;
    if (read.dayOfWeek.text !== '*' || items.some(({ mark }) => mark.startsWith('L'))) return undefined;
    const days = items.flatMap((item) => valuesOf(item));
    const isList = items.every(isValue);
    const day = isList ? Math.max(...days) : Math.min(...days);
    const skipped = MONTHS.filter(
        (_, index) => (LENGTHS[index] ?? 0) < day && read.month.values.includes(index + 1),
    );
    if (skipped.length === 0) return undefined;
    const outside = day === 29 ? ' outside of leap years' : '';
    const last = isList ? lastDay(read, day) : undefined;
    const offer =
        last === undefined ? '' : `for the last ${last.noun} of the month write '${last.crontab}'; else `;
    return {
        rule: 'short-month',
        message: `it skips ${inWords(skipped)}${outside}, for want of a day ${day}`,
        cure: `${offer}choose a day up to 28`,
    };
}

function lastDay(crontab: Crontab, day: number): { noun: string; crontab: string } | undefined {
    const { items } = crontab.dayOfMonth;
    const days = items.map(({ from, plain, mark }) => (from === day ? `L${mark}` : plain));
    return days.length > 1 && days.includes('LW')
        ? undefined
        : {
              noun: days.includes('LW') ? 'weekday' : 'day',
              crontab: crontabWith(crontab, { dayOfMonth: days.join() }),
          };
}

function inWords(names: readonly string[]): string {
    return names.length === 1 ? (names[0] as string) : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
