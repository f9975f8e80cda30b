import { crontabWith, readCrontab } from '../schedule/crontab.js';
import type { Flaw } from './flaw.js';

/**
 * Finds a star in the days where a 1 was meant: `0 0 * *\/2 *` does not run every two months, but on each day of every
 * second one. A list of months is believed.
 *
 * @param crontab five or six fields or a nickname, readable
 * @returns the flaw, or undefined
 */
export function everyDay(crontab: string): Flaw | undefined {
    const read = readCrontab(crontab);
    const { dayOfMonth, month, dayOfWeek } = read;
    if ((month.step ?? 1) === 1 || dayOfMonth.text !== '*' || dayOfWeek.text !== '*') return undefined;
    const [once, daily] = [{ dayOfMonth: '1' }, { month: month.values.join() }].map((changes) =>
        crontabWith(read, changes),
    );
    return {
        rule: 'every-day',
        message: `it runs on every day of each month of ${month.text}, not on one`,
        cure: `for the first day alone write '${once}'; if every day is meant, '${daily}'`,
    };
}
