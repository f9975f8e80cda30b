/**
 * How many columns standard output has: those of the terminal, elsewhere what `COLUMNS` says. In a pipe without it there
 * are Infinity, so that a line stays a line for whatever reads it.
 */
export function outputWidth(): number {
    if (process.stdout.isTTY) return process.stdout.columns || 80;
    const wanted = Math.floor(Number(process.env['COLUMNS']));
    return wanted > 0 ? wanted : Number.POSITIVE_INFINITY;
}
