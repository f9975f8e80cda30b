import { didYouMean } from './suggestion.js';

/** What is wrong with an option, in one line that names it. */
export class BadOptionError extends TypeError {
    override readonly name = 'BadOptionError';
}

/** Throws a BadOptionError for options that are no object, and for one that there is not. */
export function checkOptions(given: unknown, names: readonly string[], of: string): void {
    if (typeof given !== 'object' || given === null || Array.isArray(given))
        throw new BadOptionError(`the options of ${of} are not an object with ${names.join(', ')}.`);
    const stray = Object.keys(given).find((name) => !names.includes(name));
    if (stray !== undefined)
        throw new BadOptionError(`"${stray}" is not an option of ${of}${didYouMean(stray, names)}.`);
}
