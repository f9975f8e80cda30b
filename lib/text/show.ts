import { inspect } from 'node:util';

/**
 * Writes what somebody gave, for an error message.
 *
 * @param value anything
 * @returns one line: `"queu"`, `-1`, `[ 'a', 5 ]`, `a function`
 */
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
