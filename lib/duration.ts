import ms, { type StringValue } from 'ms';

/**
 * Reads a length of time. A number without a unit is refused: nobody can tell seconds from milliseconds.
 *
 * @param value a text with a unit, as the `ms` package reads it: `'500ms'`, `'25s'`, `'10m'`, `'1h'`, `'2 days'`
 * @returns milliseconds
 * @throws TypeError when it is not a duration, or negative
 */
export function parseDuration(value: unknown): number {
    const milliseconds =
        typeof value === 'string' && /[a-z]/i.test(value) ? ms(value as StringValue) : undefined;
    if (milliseconds === undefined || !(milliseconds >= 0)) {
        throw new TypeError(`is not a duration: write a number with its unit, like '30s', '10m' or '1h'`);
    }
    return milliseconds;
}

/**
 * Writes a length of time for people.
 *
 * @param milliseconds the length
 * @returns `'12 ms'`, `'3.4 s'`, `'5 min'`, `'2.5 h'`
 */
export function formatDuration(milliseconds: number): string {
    const of = (unit: number, name: string) => `${Number((milliseconds / unit).toFixed(1))} ${name}`;
    if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
    if (milliseconds < 60_000) return of(1000, 's');
    if (milliseconds < 3_600_000) return of(60_000, 'min');
    return of(3_600_000, 'h');
}
