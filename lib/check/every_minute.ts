import { type Crontab, crontabWith, readCrontab } from '../schedule/crontab.js';
import { FIELD_NAMES, type FieldName, isValue, nounOf } from '../schedule/crontab_field.js';
import type { Flaw } from './flaw.js';

const DAYS: readonly FieldName[] = ['dayOfMonth', 'month', 'dayOfWeek'];

/**
 * Finds a star that stands where a 0 was meant: `* 2 * * *` runs sixty times from 02:00 on, and `* * * * 5` every minute
 * of each Friday. Ranges (`* 9-17 * * *`) are believed, and so is a step of one.
 *
 * @param crontab five or six fields or a nickname, readable
 * @returns the flaw, or undefined
 */
export function everyMinute(crontab: string): Flaw | undefined {
    const fields = readCrontab(crontab);
    const star = fields.second.isFull ? 'second' : 'minute';
    if (!fields[star].isFull || fields[star].text.includes('/')) return undefined;
    // Who has steps or lists within the minute knows what a star is.
    if (star === 'minute' && fields.second.values.length > 1) return undefined;
    const coarser = FIELD_NAMES.slice(FIELD_NAMES.indexOf(star) + 1);
    const picked = coarser.find((name) => !fields[name].isFull);
    if (picked === undefined) return undefined;
    return DAYS.includes(picked) ? ofDay(fields, star, picked) : ofTime(fields, star, picked);
}

function ofTime(fields: Crontab, star: FieldName, picked: FieldName): Flaw | undefined {
    const { text, items, step } = fields[picked];
    const isList = items.every(isValue);
    if (!isList && step === undefined) return undefined;
    const zeros = Object.fromEntries(finer(star, picked).map((name) => [name, '0']));
    const noun = nounOf(picked);
    const which = isList && items.length === 1 ? `${noun} ${text}` : `each ${noun} of ${text}`;
    return {
        rule: 'every-minute',
        message: `it runs every ${star} of ${which}, not once`,
        cure: `for once write '${crontabWith(fields, zeros)}'; ${meant(fields, star)}`,
    };
}

function ofDay(fields: Crontab, star: FieldName, picked: FieldName): Flaw | undefined {
    const others = DAYS.filter((name) => name !== picked);
    const { text, items, values } = fields[picked];
    const isOne = items.every(isValue) && items.length === 1 && values.length === 1;
    if (!isOne || others.some((name) => fields[name].text !== '*')) return undefined;
    const zeros = Object.fromEntries(finer(star, picked).map((name) => [name, '0']));
    const once = crontabWith(fields, { ...zeros, ...(picked === 'month' ? { dayOfMonth: '1' } : {}) });
    const steps = Number(text) > 1 ? `for every ${text} ${star}s write '${everyFew(star, text)}', ` : '';
    return {
        rule: 'every-minute',
        message: `it runs every ${star}, all day, where the ${nounOf(picked)} is ${text}`,
        cure: `${steps}for once '${once}'; ${meant(fields, star)}`,
    };
}

function meant(fields: Crontab, star: FieldName): string {
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
