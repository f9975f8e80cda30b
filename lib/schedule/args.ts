import { BadScheduleError } from './bad_schedule_error.js';

/** A value that survives JSON: what a schedule's args are made of. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const NONE: readonly Json[] = Object.freeze([]);

/**
 * Reads the args of a schedule, which are JSON values, so that every engine can carry them.
 *
 * @param args what follows the crontab
 * @returns a frozen copy
 * @throws BadScheduleError naming the first value that JSON does not have, and where it is: `args[1].since is a Date`
 */
export function readArgs(args: readonly unknown[]): readonly Json[] {
    if (args.length === 0) return NONE;
    return copy(args, 'args', []) as Json[];
}

/**
 * Writes a JSON value so that equal values give equal texts, whatever the order of their keys.
 *
 * @param value the value
 * @returns its JSON, with the keys of its objects in code unit order
 */
export function canonicalJson(value: Json | readonly Json[]): string {
    return JSON.stringify(withSortedKeys(value));
}

// Not by a replacer, which would make stringify() many times slower.
function withSortedKeys(value: Json | readonly Json[]): unknown {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(withSortedKeys);
    const entries = Object.entries(value).map(([key, item]): [string, unknown] => [
        key,
        withSortedKeys(item),
    ]);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function copy(value: unknown, place: string, ancestors: readonly object[]): Json {
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number') {
        if (Number.isFinite(value)) return value;
        throw bad(`${place} is ${value}: JSON has finite numbers only`);
    }
    if (typeof value !== 'object') throw bad(`${place} is ${describe(value)}`);
    if (ancestors.includes(value)) throw bad(`${place} contains itself`);

    const path = [...ancestors, value];
    if (Array.isArray(value)) {
        const hole = value.findIndex((_, index) => !(index in value));
        if (hole !== -1) throw bad(`${place} has a hole at [${hole}]: JSON has none`);
        // Spread, because map() of an array of another realm makes another one of those.
        return Object.freeze(
            [...value].map((item, index) => copy(item, `${place}[${index}]`, path)),
        ) as Json[];
    }
    if (!isPlainObject(value)) throw bad(`${place} is ${describe(value)}`);
    const entries = Object.entries(value).map(([key, item]) => [key, copy(item, `${place}.${key}`, path)]);
    return Object.freeze(Object.fromEntries(entries)) as { [key: string]: Json };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
    if (typeof value !== 'object' || value === null) return false;
    const prototype: unknown = Object.getPrototypeOf(value);
    // An object of another realm (a vm context, a test runner's) has another Object.prototype, itself without one.
    return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function describe(value: unknown): string {
    if (value instanceof Date) return 'a Date: pass its toISOString()';
    if (typeof value === 'bigint') return 'a bigint: pass its toString()';
    if (value === undefined) return 'undefined: pass null';
    if (typeof value !== 'object') return `a ${typeof value}`;
    const name: unknown = value?.constructor?.name;
    return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an instance of a class';
}

function bad(reason: string): BadScheduleError {
    return new BadScheduleError(
        `${reason} (args are JSON values: null, booleans, finite numbers, strings, arrays and plain objects)`,
        'bad-args',
    );
}
