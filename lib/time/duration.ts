import ms, { type StringValue } from 'ms';

const SMALLER_UNITS = [
    { unit: 1, name: 'ms', digits: 0, limit: 1000 },
    { unit: ms('1s'), name: 's', digits: 1, limit: 60 },
    { unit: ms('1m'), name: 'min', digits: 1, limit: 60 },
];

/** Units that `ms` has one meaning for, and people another, or several: what to write instead of one of them. */
const UNCLEAR_UNITS = [
    {
        unit: /^M$/,
        hint: (count: number) => `'${count}m' for minutes, '${Math.round(30 * count)}d' for months`,
    },
    { unit: /^(?:y|yrs?|years?)$/i, hint: (count: number) => `'${Math.round(365 * count)}d' for years` },
];

/**
 * Reads a length of time. A number without a unit is refused: nobody can tell seconds from milliseconds. So are years, and
 * `M`, which may be minutes or months.
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
    const [, count, unit = ''] = /([\d.]+) *([a-z]+)$/i.exec(value as string) ?? [];
    const unclear = UNCLEAR_UNITS.find((candidate) => candidate.unit.test(unit));
    if (unclear) throw new TypeError(`is not clear: write ${unclear.hint(Number(count))}`);
    return milliseconds;
}

/**
 * Writes a length of time for people.
 *
 * @param milliseconds the length
 * @returns `'12 ms'`, `'3.4 s'`, `'5 min'`, `'2.5 h'`
 */
export function formatDuration(milliseconds: number): string {
    for (const { unit, name, digits, limit } of SMALLER_UNITS) {
        const number = Number((milliseconds / unit).toFixed(digits));
        if (number < limit) return `${number} ${name}`;
    }
    return `${Number((milliseconds / ms('1h')).toFixed(1))} h`;
}
