import { inspect } from 'node:util';

/** Writes a number of things: `'1 job'`, `'2,000 jobs'`. */
export function count(number: number, noun: string): string {
    return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

/** How many characters of a value are shown. */
const LONGEST = 300;

/** Writes any value for an error message, in one line: `"queu"`, `-1`, `[ 'a', 5 ]`, `a function`. It never throws. */
export function show(value: unknown): string {
    const line = write(value).replace(/\s*\n\s*/g, ' ');
    return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

function write(value: unknown): string {
    if (typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'function') return 'a function';
    try {
        const limits = { depth: 1, maxArrayLength: 5, maxStringLength: 50 };
        return inspect(value, { customInspect: false, breakLength: Infinity, ...limits });
    } catch {
        return 'something that cannot be shown';
    }
}
