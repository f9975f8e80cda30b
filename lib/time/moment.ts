import { processTimezone } from './process_timezone.js';
import { steadyOffset } from './steady_offset.js';

/** Writes unix milliseconds for programs: `'2026-11-25T02:00:00.125Z'`. */
export function isoMoment(unixMilliseconds: number): string {
    return new Date(unixMilliseconds).toISOString();
}

/** Writes a unix second, such as a slot, for programs: `'2026-11-25T02:00:00Z'`. */
export function isoSecond(unixTime: number): string {
    return isoMoment(unixTime * 1000).replace('.000Z', 'Z');
}

// Below, times are unix seconds; a zone is an IANA name, and undefined is the process's.

/** Writes a time for people, on the clock of a zone: `'2026-11-24 02:00:00'`. */
export function formatMoment(unixTime: number, timezone: string = processTimezone()): string {
    const second = Math.floor(unixTime);
    const wall = second + steadyOffset(timezone, second).offset;
    return isoMoment(wall * 1000)
        .slice(0, 19)
        .replace('T', ' ');
}

/** Writes a time for people, with its zone if one is given: `'2026-11-24 02:00:00 Europe/London'`. */
export function inZone(unixTime: number, timezone: string | undefined): string {
    return `${formatUniqueMoment(unixTime, timezone)}${timezone === undefined ? '' : ` ${timezone}`}`;
}

/** Writes a time for people, with its offset if the clock shows it twice: `'2026-10-25 01:30:00 +01:00'`. */
export function formatUniqueMoment(unixTime: number, timezone: string = processTimezone()): string {
    const text = formatMoment(unixTime, timezone);
    const { start, end, offset, before } = steadyOffset(timezone, unixTime);
    const after = steadyOffset(timezone, end).offset;
    const isTwice = unixTime < start + before - offset || unixTime >= end + after - offset;
    return isTwice ? `${text} ${formatOffset(offset)}` : text;
}

/** Removes seconds that are `:00` from a time written for people. */
export function withoutZeroSeconds(moment: string): string {
    return moment.replace(/(?<=\d\d:\d\d):00(?= |$)/, '');
}

function formatOffset(offset: number): string {
    const time = isoMoment(Math.abs(offset) * 1000).slice(11, 16);
    return `${offset < 0 ? '-' : '+'}${time}`;
}

/**
 * Writes how far away something is, in whole units, rounded down. (`formatDuration` is for how long something took.)
 *
 * @param ms milliseconds; if negative, they count as 0
 * @returns `'0 s'`, `'59 s'`, `'5 min'`, `'2 h 5 min'`, `'15 h'`, `'3 d 4 h'`, `'40 d'`
 */
export function formatSpan(ms: number): string {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
    if (minutes === 0) return `${seconds} s`;
    if (hours === 0) return `${minutes} min`;
    return hours < 24
        ? inUnits(hours, 'h', minutes % 60, 'min')
        : inUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function inUnits(whole: number, unit: string, rest: number, smaller: string): string {
    return rest === 0 || whole >= 10 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${smaller}`;
}
