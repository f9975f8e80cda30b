import { everFires } from '../schedule/calendar.js';
import { crontabWith, fieldsOf } from './crontab_fields.js';
import type { Flaw } from './flaw.js';

/**
 * Finds a day of the month beside a day of the week. crontab(5): "If both fields are restricted, the command will be run
 * when either field matches the current time."
 *
 * @param crontab five or six fields or a nickname, readable
 * @returns the flaw, or undefined
 */
export function eitherDay(crontab: string): Flaw | undefined {
    const fields = fieldsOf(crontab);
    const { dayOfMonth, dayOfWeek } = fields;
    if (dayOfMonth === '*' || dayOfWeek === '*' || dayOfWeek.startsWith('+')) return undefined;
    const both = crontabWith(fields, { dayOfWeek: `+${dayOfWeek}` });
    const offer = everFires(both) ? `where both have to match write '${both}'; else ` : '';
    return {
        rule: 'either-day',
        message: `it runs where the day of the month is ${dayOfMonth}, and also where the day of the week is ${dayOfWeek}: either is enough`,
        cure: `${offer}make it two schedules`,
    };
}
