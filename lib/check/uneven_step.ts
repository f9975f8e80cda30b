import { readCrontab } from '../schedule/crontab.js';
import { FIELD_NAMES, type Field, type FieldName } from '../schedule/crontab_field.js';
import { count } from '../text/format.js';
import type { Flaw } from './flaw.js';

interface Cycle {
    readonly unit: string;
    /** How many values the field has; undefined: it depends on the month. */
    readonly length: number | undefined;
    /** When it starts over. */
    readonly restart: string;
}

const CYCLES: Readonly<Record<FieldName, Cycle>> = {
    second: { unit: 'second', length: 60, restart: 'at each full minute' },
    minute: { unit: 'minute', length: 60, restart: 'at each full hour' },
    hour: { unit: 'hour', length: 24, restart: 'at midnight' },
    dayOfMonth: { unit: 'day', length: undefined, restart: 'on the 1st of each month' },
    month: { unit: 'month', length: 12, restart: 'in January' },
    dayOfWeek: { unit: 'day', length: 7, restart: 'on each Sunday' },
};

/** Of 60, 24 and 12, without 1 and themselves. */
const DIVISORS = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30];

/**
 * Finds a step that does not divide its field: after `*\/7` in the minutes, :56 is followed by :00.
 *
 * @param crontab five or six fields or a nickname, readable
 * @returns the flaw of the first such field, or undefined
 */
export function unevenStep(crontab: string): Flaw | undefined {
    const read = readCrontab(crontab);
    const flaws = FIELD_NAMES.map((name) => ofField(read[name], CYCLES[name]));
    return flaws.find((flaw) => flaw !== undefined);
}

function ofField({ text, step = 1 }: Field, { unit, length, restart }: Cycle): Flaw | undefined {
    if (step === 1 || (length !== undefined && length % step === 0)) return undefined;
    const last =
        length === undefined
            ? 'what is left of a step'
            : `a step of ${count(((length - 1) % step) + 1, unit)}, not ${step}`;
    return {
        rule: 'uneven-step',
        message: `${text} starts over ${restart}, after ${last}`,
        cure: `${evenSteps(step, length, unit)}list the ${unit}s where this is meant`,
    };
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
