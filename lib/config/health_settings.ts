import ms from 'ms';
import { parseDuration } from '../time/duration.js';
import { hasKeys, type Options, readOptions, unknownKey } from './options.js';

/** What is wrong enough to be told, in milliseconds; false: the framework's `/up` is left alone. */
export type HealthSettings = false | { readonly overdue: number };

const OPTIONS: Options<Exclude<HealthSettings, false>> = {
    overdue: { default: ms('5m'), read: parseDuration },
};

/** What is late by more is overdue, in milliseconds, also where nobody wants to be told by `/up`. */
export function overdueAfter(health: HealthSettings): number {
    return health ? health.overdue : OPTIONS.overdue.default;
}

/** Reads the key `bot.health`; throws a TypeError whose message follows on the value. */
export function readHealthSettings(value: unknown): HealthSettings {
    if (value === false) return false;
    if (!hasKeys(value)) throw new TypeError("is neither false nor an object, like { overdue: '5m' }");
    const unknown = unknownKey(OPTIONS, value);
    if (unknown) throw new TypeError(`has an ${unknown}`);
    return readOptions(OPTIONS, value, (name, _value, complaint) => {
        throw new TypeError(`has an \`${name}\` that ${complaint}`);
    });
}
