import { BadOptionError } from '../text/bad_option_error.js';
import { parseDuration } from './duration.js';
import { processTimezone } from './process_timezone.js';
import { steadyOffset } from './steady_offset.js';

/** Numbers from here on are milliseconds: in seconds this is the year 5138, in milliseconds March 1973. */
export const LEAST_MILLISECONDS = 1e11;

/** The first unix second of the year 3000, which no schedule reaches: croner ends there. */
export const END_OF_SLOTS = Date.UTC(3000, 0, 1) / 1000;

const HOW = `write '2026-11-25 02:00', '2026-11-25T02:00:00Z', unix seconds, 'now', or '+24h'`;

// Nobody means a time before this one (March 1973), but 20261125 may be meant as a date.
const LEAST = 1e8;

/** In seconds. Every zone differs from UTC by less. */
const DAY = 86_400;

const DATE = /(?<date>\d{4}-\d\d-\d\d)/;
const TIME = /[T ](?<time>\d\d:\d\d)(?::(?<seconds>\d\d)(?:\.(?<fraction>\d+))?)?/;
const OFFSET = / ?(?<offset>Z|(?<sign>[+-])(?<hours>[01]\d|2[0-3])(?::?(?<minutes>[0-5]\d))?)/;
const CALENDAR = new RegExp(`^${DATE.source}(?:${TIME.source})?(?:${OFFSET.source})?$`, 'i');

export interface MomentContext {
    /** Unix seconds. */
    readonly now: number;
    /** The zone of times without an offset: an IANA name; undefined: the process's. */
    readonly timezone: string | undefined;
    /** From when `+24h` counts, in unix seconds; default: now. */
    readonly from?: number;
}

/**
 * Reads a time that somebody has typed, in unix seconds:
 * - `2026-11-25`, `2026-11-25 02:00`, `2026-11-25T02:00:30`, on the clock of the zone: a time that the zone skips means the
 *   first valid one after it, as in crontab(5); one that it repeats means the first of the two
 * - the same with an offset: `2026-11-25T02:00:00Z`, `2026-11-25 02:00+01:00`, `2026-11-25Z`
 * - unix seconds: `1795572000`
 * - relative: `now`, `-90m`, `+24h`, `+2 days`; those with a plus may count from another time
 *
 * @throws TypeError for anything else; its message names the text and says how to write a time
 */
export function parseMoment(text: string, context: MomentContext): number {
    const typed = text.trim();
    const moment = read(typed, context);
    if (moment < 0 || moment >= END_OF_SLOTS)
        throw new TypeError(`"${typed}" is not in the years from 1970 to 2999`);
    return moment;
}

/**
 * Reads a time that code passes as an option: a Date, unix milliseconds, or a text that `parseMoment` reads.
 *
 * @returns unix milliseconds
 * @throws BadOptionError whose message begins with the option
 */
export function readTime(option: string, value: unknown, context: MomentContext): number {
    if (typeof value === 'string') return parseMomentOption(option, value, context) * 1000;
    if (typeof value === 'number' && Math.abs(value) < LEAST_MILLISECONDS)
        throw new BadOptionError(
            `${option} ${value} looks like unix seconds: pass unix milliseconds, or a Date.`,
        );
    if (typeof value !== 'number' && !(value instanceof Date))
        throw new BadOptionError(
            `${option} is neither a Date, nor unix milliseconds, nor a text like '+2h'.`,
        );
    const time = Number(value);
    if (Number.isFinite(time) && time < END_OF_SLOTS * 1000) return time;
    throw new BadOptionError(`${option} is not a time before the year 3000.`);
}

/** Reads a time as `parseMoment` does; what is wrong with it is a BadOptionError whose message begins with the option. */
export function parseMomentOption(option: string, text: string, context: MomentContext): number {
    try {
        return parseMoment(text, context);
    } catch (error) {
        throw new BadOptionError(`${option} ${(error as Error).message}`);
    }
}

/** Throws a TypeError for anything but a time in whole unix seconds, with a hint if it looks like milliseconds. */
export function checkUnixTime(value: unknown): asserts value is number {
    if (typeof value === 'number' && Math.abs(value) >= LEAST_MILLISECONDS)
        throw new TypeError(
            `${value} looks like milliseconds, not unix seconds: pass Math.floor(Date.now() / 1000)`,
        );
    if (!Number.isSafeInteger(value))
        throw new TypeError(
            `${String(value)} is not a time in whole unix seconds, like Math.floor(Date.now() / 1000)`,
        );
    if ((value as number) >= END_OF_SLOTS)
        throw new TypeError(`${value} is after the year 2999, where schedules end`);
}

/**
 * Reads the options `--from` (default: now) and `--to` (default: a day later) of a command, in unix seconds. `--to +24h`
 * counts from the beginning.
 *
 * @throws BadOptionError as `parseMomentOption` does; Error if `to` is not after `from`
 */
export function parseStretchOptions(
    options: { readonly from?: string; readonly to?: string },
    { now, timezone }: MomentContext,
): { from: number; to: number } {
    const from =
        options.from === undefined ? now : parseMomentOption('--from', options.from, { now, timezone });
    if (options.to === undefined) return { from, to: from + DAY };
    const to = parseMomentOption('--to', options.to, { now, timezone, from });
    if (to > from) return { from, to };
    const beginning = options.from === undefined ? 'now' : `--from "${options.from}"`;
    throw new Error(`--to "${options.to}" is not after ${beginning}.`);
}

function read(typed: string, { now, timezone, from = now }: MomentContext): number {
    if (/^now$/i.test(typed)) return now;
    if (typed.startsWith('+')) return from + parseDistance(typed);
    if (typed.startsWith('-')) return now - parseDistance(typed);
    if (/^\d+(\.\d+)?$/.test(typed)) return parseSeconds(typed);
    return parseCalendar(typed, timezone ?? processTimezone());
}

function parseDistance(typed: string): number {
    let seconds: number;
    try {
        seconds = parseDuration(typed.slice(1).trim()) / 1000;
    } catch (error) {
        throw new TypeError(`"${typed}" ${(error as Error).message}`);
    }
    if (Number.isInteger(seconds)) return seconds;
    throw new TypeError(`"${typed}" is not a whole number of seconds, like +24h or -90m`);
}

function parseSeconds(typed: string): number {
    const seconds = Number(typed);
    if (seconds >= LEAST_MILLISECONDS)
        throw new TypeError(
            `"${typed}" looks like milliseconds, not unix seconds: write ${Math.floor(seconds / 1000)}`,
        );
    if (!Number.isInteger(seconds)) throw new TypeError(`"${typed}" is not a time in whole seconds`);
    if (seconds < LEAST) throw new TypeError(`"${typed}" is too small for unix seconds: ${HOW}`);
    return seconds;
}

function parseCalendar(typed: string, timezone: string): number {
    const { groups } = CALENDAR.exec(typed) ?? {};
    if (groups === undefined) throw new TypeError(`"${typed}" is not a time: ${HOW}`);
    const { date, time = '00:00', seconds = '00', fraction = '0', offset } = groups;
    if (Number(fraction) !== 0) throw new TypeError(`"${typed}" is not a time in whole seconds`);
    const iso = `${date}T${time}:${seconds}.000Z`;
    const wall = Date.parse(iso);
    // V8 takes 30 February for the first of March.
    if (Number.isNaN(wall) || new Date(wall).toISOString() !== iso)
        throw new TypeError(`"${typed}" is not a real date and time`);
    if (offset === undefined) return onClockOf(timezone, wall / 1000);
    const { sign, hours = '0', minutes = '0' } = groups;
    return wall / 1000 - (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}

/** The first moment at which the clocks of a place show at least what a clock in UTC shows at `wall`. */
function onClockOf(timezone: string, wall: number): number {
    let stretch = steadyOffset(timezone, wall - DAY);
    while (wall - stretch.offset >= stretch.end) stretch = steadyOffset(timezone, stretch.end);
    return Math.max(stretch.start, wall - stretch.offset);
}
