import { inspect } from 'node:util';

/** Writes how many of something there are: `'1 job'`, `'2,000 jobs'`. */
export function count(number: number, noun: string): string {
    return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

/** Writes what somebody gave, in one line, for an error message: `"queu"`, `-1`, `[ 'a', 5 ]`, `a function`. */
export function show(value: unknown): string {
    if (typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'function') return 'a function';
    return inspect(value, {
        customInspect: false,
        breakLength: Infinity,
        depth: 1,
        maxArrayLength: 5,
        maxStringLength: 50,
    });
}
