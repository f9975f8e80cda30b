/** As many columns as a terminal has that does not say. */
const USUAL_WIDTH = 80;

/**
 * How many columns standard output has: those of the terminal, elsewhere what `COLUMNS` says.
 *
 * @returns their number; Infinity in a pipe without `COLUMNS`, so that a line stays a line for whatever reads it
 */
export function outputWidth(): number {
    if (process.stdout.isTTY) return process.stdout.columns || USUAL_WIDTH;
    const wanted = Math.floor(Number(process.env['COLUMNS']));
    return wanted > 0 ? wanted : Number.POSITIVE_INFINITY;
}
