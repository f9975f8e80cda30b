import { isoMoment } from './iso_time.js';
import { processTimezone } from './process_timezone.js';
import { steadyOffset } from './steady_offset.js';

/**
 * Writes a time for people, on the clock of a place. What that clock shows twice is written as `formatUniqueMoment` does.
 *
 * @param unixTime unix seconds
 * @param timezone IANA name; default: the process's
 * @returns `'2026-11-24 02:00:00'`
 */
export function formatMoment(unixTime: number, timezone: string = processTimezone()): string {
    const second = Math.floor(unixTime);
    const wall = second + steadyOffset(timezone, second).offset;
    return isoMoment(wall * 1000)
        .slice(0, 19)
        .replace('T', ' ');
}

/**
 * Writes a time for people, with its place where that is not the process's.
 *
 * @param unixTime unix seconds
 * @param timezone IANA name; undefined: the process's
 * @returns `'2026-11-24 02:00:00'`, `'2026-11-24 02:00:00 Europe/London'`
 */
export function inZone(unixTime: number, timezone: string | undefined): string {
    return `${formatUniqueMoment(unixTime, timezone)}${timezone === undefined ? '' : ` ${timezone}`}`;
}

/**
 * Writes a time for people, with its offset from UTC where the clock of the place shows it twice.
 *
 * @param unixTime unix seconds
 * @param timezone IANA name; default: the process's
 * @returns `'2026-11-24 02:00:00'`, `'2026-10-25 01:30:00 +01:00'`
 */
export function formatUniqueMoment(unixTime: number, timezone: string = processTimezone()): string {
    const text = formatMoment(unixTime, timezone);
    const { start, end, offset, before } = steadyOffset(timezone, unixTime);
    const after = steadyOffset(timezone, end).offset;
    const isTwice = unixTime < start + before - offset || unixTime >= end + after - offset;
    return isTwice ? `${text} ${formatOffset(offset)}` : text;
}

function formatOffset(offset: number): string {
    const time = isoMoment(Math.abs(offset) * 1000).slice(11, 16);
    return `${offset < 0 ? '-' : '+'}${time}`;
}

const SECOND = 1;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const SPANS = [
    { unit: DAY, name: 'd', smaller: HOUR, smallerName: 'h' },
    { unit: HOUR, name: 'h', smaller: MINUTE, smallerName: 'min' },
    { unit: MINUTE, name: 'min', smaller: MINUTE, smallerName: '' },
    { unit: SECOND, name: 's', smaller: SECOND, smallerName: '' },
];

/** From so many of its largest unit on, a span has no smaller one beside it. */
const ROUND = 10;

/**
 * Writes how far away something is, in whole units, rounded down: for ages and what is to come. For how long something
 * took there is `formatDuration`.
 *
 * @param ms milliseconds; less than none counts as none
 * @returns `'0 s'`, `'59 s'`, `'5 min'`, `'2 h 5 min'`, `'15 h'`, `'3 d 4 h'`, `'40 d'`
 */
export function formatSpan(ms: number): string {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const { unit, name, smaller, smallerName } =
        SPANS.find((span) => seconds >= span.unit) ?? (SPANS.at(-1) as (typeof SPANS)[number]);
    const whole = Math.floor(seconds / unit);
    const rest = Math.floor((seconds % unit) / smaller);
    return smaller === unit || rest === 0 || whole >= ROUND
        ? `${whole} ${name}`
        : `${whole} ${name} ${rest} ${smallerName}`;
}
