import { BadScheduleError } from './bad_schedule_error.js';

/** A value that survives JSON, as the args of a schedule have to. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const NONE: readonly Json[] = Object.freeze([]);

/**
 * Copies and freezes the args of a schedule.
 *
 * @throws BadScheduleError with the first value that JSON cannot hold, and its place: `args[1].since is a Date`
 */
export function readArgs(args: readonly unknown[]): readonly Json[] {
    if (!Array.isArray(args)) throw new BadScheduleError("args is not an array, like ['user-7']", 'bad-args');
    return args.length === 0 ? NONE : (copy(args, 'args', []) as Json[]);
}

/** Writes a JSON value with sorted keys, so that equal values give equal texts. */
export function canonicalJson(value: Json | readonly Json[]): string {
    return JSON.stringify(withSortedKeys(value));
}

// A replacer would make stringify() many times slower.
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
        // Spread, because map() of an array of another realm makes an array of that realm, and skips holes.
        const items = [...value].map((item, index) => copy(item, `${place}[${index}]`, path));
        return Object.freeze(items) as Json[];
    }
    if (!isPlain(value)) throw bad(`${place} is ${describe(value)}`);
    const entries = Object.entries(value).map(([key, item]) => [key, copy(item, `${place}.${key}`, path)]);
    return Object.freeze(Object.fromEntries(entries));
}

// Objects of other realms (a vm context, a test runner's) have another Object.prototype; it has no prototype either.
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
