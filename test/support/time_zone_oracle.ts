/** A stretch of time over which a zone keeps its offset; unix seconds, offsets in seconds. */
export interface Stretch {
    readonly start: number;
    readonly end: number;
    readonly offset: number;
}

/** Every zone that this Node knows. */
export const ZONES: readonly string[] = Intl.supportedValuesOf('timeZone');

const QUARTER = 15 * 60;
const WEEK = 7 * 24 * 3600;
const FROM = Date.UTC(1995, 0, 1) / 1000;
const TO = Date.UTC(2037, 11, 31) / 1000;

const formats = new Map<string, Intl.DateTimeFormat>();
const changes = new Map<string, readonly number[]>();

/** The offset of a zone from UTC at a time, read off the wall clock that `Intl` shows. */
export function offsetAt(zone: string, second: number): number {
    let format = formats.get(zone);
    if (format === undefined) {
        format = new Intl.DateTimeFormat('en-US', {
            timeZone: zone,
            calendar: 'gregory',
            hourCycle: 'h23',
            year: 'numeric',
            month: 'numeric',
            day: 'numeric',
            hour: 'numeric',
            minute: 'numeric',
            second: 'numeric',
        });
        formats.set(zone, format);
    }
    // "3/29/2026, 03:00:00": much faster than formatToParts().
    const [month = 0, day = 0, year = 0, hour, minute, seconds] = (
        format.format(second * 1000).match(/\d+/g) ?? []
    ).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, seconds) / 1000 - second;
}

/** The times from 1995 to 2037 at which a zone's offset changes; changes that are undone within a week may be missing. */
export function changesOf(zone: string): readonly number[] {
    let found = changes.get(zone);
    if (found === undefined) {
        found = stretches(zone, FROM, TO, WEEK)
            .slice(1)
            .map(({ start }) => start);
        changes.set(zone, found);
    }
    return found;
}

/** The stretches of a zone between two times. Nothing shorter than a quarter of an hour is known to have happened. */
export function stretches(zone: string, from: number, to: number, step: number = QUARTER): Stretch[] {
    const found: Stretch[] = [];
    let start = from;
    let offset = offsetAt(zone, from);
    for (let probe = from + step; probe < to + step; probe += step) {
        const end = Math.min(probe, to);
        const next = offsetAt(zone, end);
        if (next === offset) continue;
        const change = changeBetween(zone, Math.max(start, end - step), end, offset);
        found.push({ start, end: change, offset });
        start = change;
        offset = offsetAt(zone, change);
    }
    found.push({ start, end: to, offset });
    return found;
}

function changeBetween(zone: string, from: number, to: number, offset: number): number {
    let [before, after] = [from, to];
    while (after - before > 1) {
        const middle = Math.floor((before + after) / 2);
        if (offsetAt(zone, middle) === offset) before = middle;
        else after = middle;
    }
    return after;
}
