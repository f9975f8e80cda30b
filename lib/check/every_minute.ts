import { type CrontabFields, crontabWith, FIELD_NAMES, type FieldName, fieldsOf } from './crontab_fields.js';
import type { Flaw } from './flaw.js';

const DAYS: readonly FieldName[] = ['dayOfMonth', 'month', 'dayOfWeek'];

/** How messages name what a number in a field picks. */
const NOUNS: Readonly<Record<FieldName, string>> = {
    second: 'second',
    minute: 'minute',
    hour: 'hour',
    dayOfMonth: 'day of the month',
    month: 'month',
    dayOfWeek: 'day of the week',
};

/**
 * Finds a star that stands where a 0 was meant: `* 2 * * *` runs sixty times from 02:00 on, and `* * * * 5` every minute
 * of each Friday. Ranges (`* 9-17 * * *`) are believed, and so is a step of one.
 *
 * @param crontab five or six fields or a nickname, readable
 * @returns the flaw, or undefined
 */
export function everyMinute(crontab: string): Flaw | undefined {
    const fields = fieldsOf(crontab);
    const star = fields.second === '*' ? 'second' : 'minute';
    // Who has steps or lists within the minute knows what a star is.
    if (fields[star] !== '*' || (star === 'minute' && !/^\d+$/.test(fields.second))) return undefined;
    const coarser = FIELD_NAMES.slice(FIELD_NAMES.indexOf(star) + 1);
    const picked = coarser.find((name) => fields[name] !== '*');
    if (picked === undefined) return undefined;
    return DAYS.includes(picked) ? ofDay(fields, star, picked) : ofTime(fields, star, picked);
}

function ofTime(fields: CrontabFields, star: FieldName, picked: FieldName): Flaw | undefined {
    const text = fields[picked];
    if (!/^\d+(?:,\d+)*$/.test(text) && !/^\*\/(?!1$)\d+$/.test(text)) return undefined;
    const zeros = Object.fromEntries(finer(star, picked).map((name) => [name, '0']));
    const is = /^\d+$/.test(text) ? `${NOUNS[picked]} ${text}` : `each ${NOUNS[picked]} of ${text}`;
    return {
        rule: 'every-minute',
        message: `it runs every ${star} of ${is}, not once`,
        cure: `for once write '${crontabWith(fields, zeros)}'; ${meant(fields, star)}`,
    };
}

function ofDay(fields: CrontabFields, star: FieldName, picked: FieldName): Flaw | undefined {
    const others = DAYS.filter((name) => name !== picked);
    const text = fields[picked];
    if (others.some((name) => fields[name] !== '*') || !/^(?:\d+|[a-z]{3})$/i.test(text)) return undefined;
    const zeros = Object.fromEntries(finer(star, picked).map((name) => [name, '0']));
    const once = crontabWith(fields, { ...zeros, ...(picked === 'month' ? { dayOfMonth: '1' } : {}) });
    const steps = Number(text) > 1 ? `for every ${text} ${star}s write '${everyFew(star, text)}', ` : '';
    return {
        rule: 'every-minute',
        message: `it runs every ${star}, all day, where the ${NOUNS[picked]} is ${text}`,
        cure: `${steps}for once '${once}'; ${meant(fields, star)}`,
    };
}

function meant(fields: CrontabFields, star: FieldName): string {
    return `if every ${star} is meant, '${crontabWith(fields, { [star]: '*/1' })}'`;
}

function everyFew(star: FieldName, text: string): string {
    return star === 'second' ? `*/${text} * * * * *` : `*/${text} * * * *`;
}

function finer(star: FieldName, picked: FieldName): readonly FieldName[] {
    return FIELD_NAMES.slice(FIELD_NAMES.indexOf(star), FIELD_NAMES.indexOf(picked)).filter(
        (name) => !DAYS.includes(name),
    );
}
