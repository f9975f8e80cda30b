const NO_BREAK = '\u00a0';

/**
 * Keeps words together in one line, as long as there is room for them.
 *
 * @param words some words
 * @returns the same with no-break spaces, for a text whose lines are broken later
 */
export function keepTogether(words: string): string {
    return words.replaceAll(' ', NO_BREAK);
}

/**
 * Takes out what `keepTogether` has put in.
 *
 * @param line a line that is broken no further
 * @returns the same with plain spaces, as it is to be printed
 */
export function withPlainSpaces(line: string): string {
    return line.replaceAll(NO_BREAK, ' ');
}
