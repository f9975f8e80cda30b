/** As many columns as a terminal has that does not say. */
const USUAL_WIDTH = 80;

/**
 * How many columns standard output has.
 *
 * @returns their number; Infinity where it is no terminal, so that a line stays a line for whatever reads it
 */
export function outputWidth(): number {
    return process.stdout.isTTY ? process.stdout.columns || USUAL_WIDTH : Number.POSITIVE_INFINITY;
}
