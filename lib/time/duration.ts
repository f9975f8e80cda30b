import ms, { type StringValue } from 'ms';

/**
 * Reads a length of time with its unit, in milliseconds: `'500ms'`, `'25s'`, `'10m'`, `'1h'`, `'2 days'`. A number without
 * a unit is refused, because it could be seconds or milliseconds. So are years, and `M`: minutes or months.
 *
 * @throws TypeError if it is no duration, or negative
 */
export function parseDuration(value: unknown): number {
    const milliseconds =
        typeof value === 'string' && /[a-z]/i.test(value) ? ms(value as StringValue) : undefined;
    if (milliseconds === undefined || !(milliseconds >= 0))
        throw new TypeError(`is not a duration: write a number with its unit, like '30s', '10m' or '1h'`);
    const [, text, unit = ''] = /([\d.]+) *([a-z]+)$/i.exec(value as string) ?? [];
    const count = Number(text);
    if (unit === 'M')
        throw new TypeError(
            `is ambiguous: write '${count}m' for minutes, '${Math.round(30 * count)}d' for months`,
        );
    if (/^(?:y|yrs?|years?)$/i.test(unit))
        throw new TypeError(`is ambiguous: write '${Math.round(365 * count)}d' for years`);
    return milliseconds;
}

/** Writes a length of time, in milliseconds, for people: `'12 ms'`, `'3.4 s'`, `'5 min'`, `'2.5 h'`. */
export function formatDuration(milliseconds: number): string {
    const rounded = (unit: number, digits = 1) => Number((milliseconds / unit).toFixed(digits));
    if (rounded(1, 0) < 1000) return `${rounded(1, 0)} ms`;
    if (rounded(1000) < 60) return `${rounded(1000)} s`;
    if (rounded(60_000) < 60) return `${rounded(60_000)} min`;
    return `${rounded(3_600_000)} h`;
}
