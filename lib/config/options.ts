import { messageOf } from '../text/errors.js';
import { didYouMean } from '../text/suggestion.js';

/** One option. Without a default it may be undefined. */
interface Option {
    readonly default?: unknown;
    /** @throws Error whose message follows on the value: `is not a whole number from 1 up` */
    read(value: unknown): unknown;
}

/** The options of an object, by name. */
export type Options = Readonly<Record<string, Option>>;

/** What an object with these options holds once it has been read. */
export type Values<Table extends Options> = {
    readonly [Name in keyof Table]:
        | ReturnType<Table[Name]['read']>
        | (Table[Name] extends { default: unknown } ? never : undefined);
};

/**
 * Reads options; each that is undefined has its default.
 *
 * @param refuse is given a bad value and what is wrong with it; if it does not throw, the default is used
 */
export function readOptions<Table extends Options>(
    options: Table,
    given: Readonly<Record<string, unknown>>,
    refuse: (name: keyof Table & string, value: unknown, complaint: string) => void,
): Values<Table> {
    const read = ([name, option]: [string, Option]) => {
        const value = given[name];
        if (value === undefined) return [name, option.default];
        try {
            return [name, option.read(value)];
        } catch (error) {
            refuse(name, value, messageOf(error));
            return [name, option.default];
        }
    };
    return Object.fromEntries(Object.entries(options).map(read));
}

/**
 * Reads an object of options.
 *
 * @param what follows on what is no object: `is neither false nor an object: write { failing: 3 }`
 * @throws TypeError whose message follows on the value
 */
export function readObject<Table extends Options>(
    options: Table,
    value: unknown,
    what: string,
): Values<Table> {
    if (!hasKeys(value)) throw new TypeError(what);
    const unknown = unknownKey(options, value);
    if (unknown) throw new TypeError(`has an ${unknown}`);
    return readOptions(options, value, (name, _, complaint) => {
        throw new TypeError(`has ${/^[aeiou]/.test(name) ? 'an' : 'a'} \`${name}\` that ${complaint}`);
    });
}

/**
 * Finds a key that is no option.
 *
 * @param prefix precedes the key in the message
 * @returns ``'unknown key `bot.tun` (did you mean "turn"?). Known: turn, log'``, if there is one
 */
export function unknownKey(options: object, given: object, prefix = ''): string | undefined {
    const names = Object.keys(options);
    const key = Object.keys(given).find((candidate) => !names.includes(candidate));
    return key === undefined
        ? undefined
        : `unknown key \`${prefix}${key}\`${didYouMean(key, names)}. Known: ${names.join(', ')}`;
}

/** Whether a value is an object, and no array. */
export function hasKeys(value: unknown): value is Record<string, unknown> {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A reader that accepts the values that pass a test.
 *
 * @param complaint follows on the value: `is not a text`
 */
export function accepting<Value>(
    test: (value: unknown) => boolean,
    complaint: string,
): (value: unknown) => Value {
    return (value) => {
        if (test(value)) return value as Value;
        throw new TypeError(complaint);
    };
}

/** A reader that accepts only these words. */
export function oneOf<Word extends string>(...words: Word[]): (value: unknown) => Word {
    const list = words.map((word) => `'${word}'`).join(', ');
    return accepting((value) => words.includes(value as Word), `is none of ${list}`);
}

export function wholeNumberFrom(least: number): (value: unknown) => number {
    const complaint = `is not a whole number from ${least} up`;
    return accepting((value) => Number.isSafeInteger(value) && Number(value) >= least, complaint);
}

export const readBoolean = accepting<boolean>(
    (value) => typeof value === 'boolean',
    'is neither true nor false',
);
