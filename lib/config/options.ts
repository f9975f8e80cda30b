import { messageOf } from '../text/errors.js';
import { didYouMean } from '../text/suggestion.js';

/** One option. */
export interface Option<Value> {
    readonly default: Value;
    /** @throws Error whose message follows on the value: `is not a whole number from 1 up` */
    read(value: unknown): Value;
}

/** All options of an object, by name. */
export type Options<Values> = { readonly [Name in keyof Values]: Option<Values[Name]> };

/**
 * Reads the options of an object.
 *
 * @param refuse is given a bad value with what is wrong with it; where it does not throw, the default stands in
 */
export function readOptions<Values>(
    options: Options<Values>,
    given: Readonly<Partial<Record<keyof Values, unknown>>>,
    refuse: (name: keyof Values, value: unknown, complaint: string) => void,
): Values {
    const read = (name: keyof Values) => {
        const option = options[name];
        const value = given[name];
        if (value === undefined) return option.default;
        try {
            return option.read(value);
        } catch (error) {
            refuse(name, value, messageOf(error));
            return option.default;
        }
    };
    const names = Object.keys(options) as (keyof Values & string)[];
    return Object.fromEntries(names.map((name) => [name, read(name)])) as Values;
}

/**
 * Looks for a key that is no option.
 *
 * @param prefix what stands before the key in the message
 * @returns ``'unknown key `bot.tun` (did you mean "turn"?). Known: turn, log'``; undefined: there is none
 */
export function unknownKey(options: object, given: object, prefix = ''): string | undefined {
    const names = Object.keys(options);
    const key = Object.keys(given).find((candidate) => !names.includes(candidate));
    return key === undefined
        ? undefined
        : `unknown key \`${prefix}${key}\`${didYouMean(key, names)}. Known: ${names.join(', ')}`;
}

/** Tells whether a value is an object with keys, and no array. */
export function hasKeys(value: unknown): value is Record<string, unknown> {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A reader of the values that pass a test.
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

/** A reader that takes these words alone. */
export function oneOf<Word extends string>(...words: Word[]): (value: unknown) => Word {
    const list = words.map((word) => `'${word}'`).join(', ');
    return accepting((value) => words.includes(value as Word), `is none of ${list}`);
}

/** A reader of counts. */
export function wholeNumberFrom(least: number): (value: unknown) => number {
    const complaint = `is not a whole number from ${least} up`;
    return accepting((value) => Number.isSafeInteger(value) && Number(value) >= least, complaint);
}

export const readBoolean = accepting<boolean>(
    (value) => typeof value === 'boolean',
    'is neither true nor false',
);
