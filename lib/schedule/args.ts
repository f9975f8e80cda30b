import { BadScheduleError } from './bad_schedule_error.js';

/** A value that survives JSON: what a schedule's args are made of. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const NONE: readonly Json[] = Object.freeze([]);

/**
 * Copies and freezes the args of a schedule.
 *
 * @throws BadScheduleError naming the first value that JSON does not have, and where it is: `args[1].since is a Date`
 */
export function readArgs(args: readonly unknown[]): readonly Json[] {
    return args.length === 0 ? NONE : (copy(args, 'args', []) as Json[]);
}

/** Writes a JSON value so that equal values give equal texts, whatever the order of their keys. */
export function canonicalJson(value: Json | readonly Json[]): string {
    return JSON.stringify(withSortedKeys(value));
}

// Not by a replacer, which would make stringify() many times slower.
function withSortedKeys(value: Json | readonly Json[]): unknown {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(withSortedKeys);
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, item]) => [key, withSortedKeys(item)]));
}

function copy(value: unknown, place: string, ancestors: readonly object[]): Json {
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (typeof value !== 'object') throw bad(`${place} is ${describe(value)}`);
    if (ancestors.includes(value)) throw bad(`${place} contains itself`);

    const path = [...ancestors, value];
    if (Array.isArray(value)) {
        const hole = value.findIndex((_, index) => !(index in value));
        if (hole !== -1) throw bad(`${place} has a hole at [${hole}]: JSON has none`);
        // Spread, because map() of an array of another realm makes another one of those.
        const items = [...value].map((item, index) => copy(item, `${place}[${index}]`, path));
        return Object.freeze(items) as Json[];
    }
    if (!isPlain(value)) throw bad(`${place} is ${describe(value)}`);
    const entries = Object.entries(value).map(([key, item]) => [key, copy(item, `${place}.${key}`, path)]);
    return Object.freeze(Object.fromEntries(entries));
}

// An object of another realm (a vm context, a test runner's) has another Object.prototype, itself without one.
function isPlain(value: object): boolean {
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function describe(value: unknown): string {
    if (value instanceof Date) return 'a Date: pass its toISOString()';
    if (typeof value === 'bigint') return 'a bigint: pass its toString()';
    if (typeof value === 'number') return `${value}: JSON has finite numbers only`;
    if (value === undefined) return 'undefined: pass null';
    if (typeof value !== 'object') return `a ${typeof value}`;
    return `an instance of ${value?.constructor?.name || 'a class'}`;
}

function bad(reason: string): BadScheduleError {
    return new BadScheduleError(
        `${reason} (args are JSON values: null, booleans, finite numbers, strings, arrays and plain objects)`,
        'bad-args',
    );
}
