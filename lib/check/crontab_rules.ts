import { everFires } from '../schedule/calendar.js';
import { type Crontab, crontabWith, readCrontab } from '../schedule/crontab.js';
import { FIELD_NAMES, type FieldName, isValue, nounOf, valuesOf } from '../schedule/crontab_field.js';
import { count } from '../text/format.js';
import type { Flaw } from './finding.js';

/** Finds what the author of a valid crontab probably did not mean. */
export function flawsOfCrontab(crontab: string): Flaw[] {
    const read = readCrontab(crontab);
    const rules = [everyMinute, everyDay, unevenStep, shortMonth, eitherDay];
    return rules.flatMap((rule) => rule(read) ?? []);
}

const DAYS: readonly FieldName[] = ['dayOfMonth', 'month', 'dayOfWeek'];

/**
 * Finds a star that stands where a 0 was meant: `* 2 * * *` runs sixty times from 02:00 on, and `* * * * 5` every minute
 * of each Friday. Ranges (`* 9-17 * * *`) are taken as meant, and so is a step of one.
 */
function everyMinute(fields: Crontab): Flaw | undefined {
    const star = fields.second.isFull ? 'second' : 'minute';
    if (!fields[star].isFull || fields[star].text.includes('/')) return undefined;
    // Whoever writes steps or lists of seconds knows what a star means.
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
    const everyFew = `*/${text} * * * *${star === 'second' ? ' *' : ''}`;
    const steps = Number(text) > 1 ? `for every ${text} ${star}s write '${everyFew}', ` : '';
    return {
        rule: 'every-minute',
        message: `it runs every ${star}, all day, where the ${nounOf(picked)} is ${text}`,
        cure: `${steps}for once '${once}'; ${meant(fields, star)}`,
    };
}

function meant(fields: Crontab, star: FieldName): string {
    return `if every ${star} is meant, '${crontabWith(fields, { [star]: '*/1' })}'`;
}

function finer(star: FieldName, picked: FieldName): readonly FieldName[] {
    return FIELD_NAMES.slice(FIELD_NAMES.indexOf(star), FIELD_NAMES.indexOf(picked)).filter(
        (name) => !DAYS.includes(name),
    );
}

/**
 * Finds a star in the days where a 1 was meant: `0 0 * *\/2 *` does not run every two months, but on each day of every
 * second one. A list of months is taken as meant.
 */
function everyDay(read: Crontab): Flaw | undefined {
    const { dayOfMonth, month, dayOfWeek } = read;
    if ((month.step ?? 1) === 1 || dayOfMonth.text !== '*' || dayOfWeek.text !== '*') return undefined;
    const once = crontabWith(read, { dayOfMonth: '1' });
    const daily = crontabWith(read, { month: month.values.join() });
    return {
        rule: 'every-day',
        message: `it runs on every day of each month of ${month.text}, not on one`,
        cure: `for the first day alone write '${once}'; if every day is meant, '${daily}'`,
    };
}

/** Where each field starts over, and after how many values; undefined: it depends on the month. */
const CYCLES = {
    second: { unit: 'second', length: 60, restart: 'at each full minute' },
    minute: { unit: 'minute', length: 60, restart: 'at each full hour' },
    hour: { unit: 'hour', length: 24, restart: 'at midnight' },
    dayOfMonth: { unit: 'day', length: undefined, restart: 'on the 1st of each month' },
    month: { unit: 'month', length: 12, restart: 'in January' },
    dayOfWeek: { unit: 'day', length: 7, restart: 'on each Sunday' },
} as const;

/** Of 60, 24 and 12, without 1 and the numbers themselves. */
const DIVISORS = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30];

/** Finds a step that does not divide its field: after `*\/7` in the minutes, :56 is followed by :00. */
function unevenStep(read: Crontab): Flaw | undefined {
    const name = FIELD_NAMES.find((name) => isUneven(read[name].step ?? 1, CYCLES[name].length));
    if (name === undefined) return undefined;
    const { text, step = 1 } = read[name];
    const { unit, length, restart } = CYCLES[name];
    const last =
        length === undefined
            ? 'an incomplete step'
            : `a step of ${count(((length - 1) % step) + 1, unit)}, not ${step}`;
    return {
        rule: 'uneven-step',
        message: `${text} starts over ${restart}, after ${last}`,
        cure: `${evenSteps(step, length, unit)}list the ${unit}s if this is meant`,
    };
}

function isUneven(step: number, length: number | undefined): boolean {
    return step !== 1 && (length === undefined || length % step !== 0);
}

function evenSteps(step: number, length: number | undefined, unit: string): string {
    const divisors = DIVISORS.filter((divisor) => length !== undefined && length % divisor === 0);
    const near = [
        divisors.findLast((divisor) => divisor < step),
        divisors.find((divisor) => divisor > step && length !== divisor),
    ].filter((divisor) => divisor !== undefined);
    if (near.length === 0) return '';
    const steps = near.map((divisor) => `*/${divisor}`).join(' or ');
    return `for equal steps write ${steps} ${unit}s; `;
}

const MONTH_NAME = new Intl.DateTimeFormat('en', { month: 'long', timeZone: 'UTC' });

/**
 * Finds a day that some months lack: `0 0 31 * *` runs in seven months of the year, and so does `0 0 31W * *`. Of a range
 * only the first day counts.
 */
function shortMonth(read: Crontab): Flaw | undefined {
    const { items } = read.dayOfMonth;
    if (read.dayOfWeek.text !== '*' || items.some(({ mark }) => mark.startsWith('L'))) return undefined;
    const days = items.flatMap((item) => valuesOf(item));
    const isList = items.every(isValue);
    const day = isList ? Math.max(...days) : Math.min(...days);
    const skipped = read.month.values.filter((month) => daysIn(month) < day);
    if (skipped.length === 0) return undefined;
    const outside = day === 29 ? ' outside of leap years' : '';
    const last = isList ? lastDay(read, day) : undefined;
    const offer =
        last === undefined ? '' : `for the last ${last.noun} of the month write '${last.crontab}'; else `;
    return {
        rule: 'short-month',
        message: `it skips ${inWords(skipped)}, which ${skipped.length === 1 ? 'has' : 'have'} no day ${day}${outside}`,
        cure: `${offer}choose a day up to 28`,
    };
}

function lastDay(crontab: Crontab, day: number): { noun: string; crontab: string } | undefined {
    const { items } = crontab.dayOfMonth;
    const days = items.map(({ from, plain, mark }) => (from === day ? `L${mark}` : plain));
    const isWeekday = days.includes('LW');
    if (isWeekday && days.length > 1) return undefined;
    const noun = isWeekday ? 'weekday' : 'day';
    return { noun, crontab: crontabWith(crontab, { dayOfMonth: days.join() }) };
}

/** How many days a month has in a common year. */
function daysIn(month: number): number {
    return new Date(Date.UTC(2027, month, 0)).getUTCDate();
}

function inWords(months: readonly number[]): string {
    const names = months.map((month) => MONTH_NAME.format(Date.UTC(2027, month - 1)));
    return new Intl.ListFormat('en-GB').format(names);
}

/** Finds a day of the month beside a day of the week, of which either is enough. */
function eitherDay(read: Crontab): Flaw | undefined {
    if (read.days === 'both') return undefined;
    const [dayOfMonth, dayOfWeek] = [read.dayOfMonth.text, read.dayOfWeek.text];
    const both = crontabWith(read, { dayOfWeek: `+${dayOfWeek}` });
    const offer = everFires(both) ? `if both have to match, write '${both}'; else ` : '';
    return {
        rule: 'either-day',
        message: `it runs if the day of the month is ${dayOfMonth}, and also if the day of the week is ${dayOfWeek}: either is enough`,
        cure: `${offer}make it two schedules`,
    };
}
