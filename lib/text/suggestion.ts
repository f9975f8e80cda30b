import { closest, distance } from 'fastest-levenshtein';

const MOST_EDITS = 3;

/** The name that was probably meant: within three edits of the word, and fewer edits than the word has letters. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
    const names = [...candidates];
    if (names.length === 0) return undefined;
    const candidate = closest(word, names);
    return distance(word, candidate) <= Math.min(MOST_EDITS, word.length - 1) ? candidate : undefined;
}

/** The end of an error message: `' (did you mean "x"?)'`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
    const name = nearest(word, candidates);
    return name === undefined ? '' : ` (did you mean "${name}"?)`;
}
