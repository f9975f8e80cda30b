/** Writes unix milliseconds for programs: `'2026-11-25T02:00:00.125Z'`. */
export function isoMoment(unixMilliseconds: number): string {
    return new Date(unixMilliseconds).toISOString();
}

/** Writes a unix second, such as a slot, for programs: `'2026-11-25T02:00:00Z'`. */
export function isoSecond(unixTime: number): string {
    return isoMoment(unixTime * 1000).replace('.000Z', 'Z');
}
