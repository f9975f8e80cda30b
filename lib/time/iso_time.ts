/**
 * Writes a moment for programs.
 *
 * @param unixMilliseconds unix milliseconds
 * @returns ISO 8601 in UTC: `'2026-11-25T02:00:00.125Z'`
 */
export function isoMoment(unixMilliseconds: number): string {
    return new Date(unixMilliseconds).toISOString();
}

/**
 * Writes a second, such as a slot, for programs.
 *
 * @param unixTime unix seconds
 * @returns ISO 8601 in UTC: `'2026-11-25T02:00:00Z'`
 */
export function isoSecond(unixTime: number): string {
    return isoMoment(unixTime * 1000).replace('.000Z', 'Z');
}
