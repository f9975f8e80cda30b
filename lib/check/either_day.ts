import { everFires } from '../schedule/calendar.js';
import { crontabWith, readCrontab } from '../schedule/crontab.js';
import type { Flaw } from './flaw.js';

/**
 * Finds a day of the month beside a day of the week, where one of the two is enough.
 *
 * @param crontab five or six fields or a nickname, readable
 * @returns the flaw, or undefined
 */
export function eitherDay(crontab: string): Flaw | undefined {
    const read = readCrontab(crontab);
    if (read.days === 'both') return undefined;
    const [dayOfMonth, dayOfWeek] = [read.dayOfMonth.text, read.dayOfWeek.text];
    const both = crontabWith(read, { dayOfWeek: `+${dayOfWeek}` });
    const offer = everFires(both) ? `where both have to match write '${both}'; else ` : '';
    return {
        rule: 'either-day',
        message: `it runs where the day of the month is ${dayOfMonth}, and also where the day of the week is ${dayOfWeek}: either is enough`,
        cure: `${offer}make it two schedules`,
    };
}
