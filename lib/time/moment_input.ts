import { BadOptionError } from '../text/bad_option_error.js';
import { parseDuration } from './duration.js';
import { formatMoment } from './moment.js';

const HOW = `write '2026-11-25 02:00', '2026-11-25T02:00:00Z', unix seconds, 'now', or '+24h'`;

// Fewer seconds than these (March 1973) are no time that anybody means, but 20261125 may be a date; more are milliseconds.
const LEAST = 1e8;
const LEAST_MILLISECONDS = 1e11;

/** Clocks differ from UTC by less than this, and change less often, in seconds. */
const DAY = 86_400;

const LOCAL = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?)?$/i;
const OFFSET = / ?(?:Z|(?<sign>[+-])(?<hours>[01]\d|2[0-3]):?(?<minutes>[0-5]\d)?)$/i;

/** What a moment is read by. */
export interface MomentContext {
    /** The present, in unix seconds. */
    readonly now: number;
    /** The zone of times without an offset: an IANA name; undefined: the process's. */
    readonly timezone: string | undefined;
}

/**
 * Reads a time that somebody has typed:
 * - a date, or a date with a time: `2026-11-25`, `2026-11-25 02:00`, `2026-11-25T02:00:30`. On the clock of the zone: a time
 *   that the zone skips is the first valid one after it, as crontab(5) has it; of one that it repeats it is the first
 * - the same with an offset: `2026-11-25T02:00:00Z`, `2026-11-25 02:00+01:00`
 * - unix seconds: `1795572000`
 * - from now: `now`, `+24h`, `-90m`, `+2 days`
 *
 * @param text what was typed
 * @param context the present, and the zone
 * @returns unix seconds
 * @throws TypeError for anything else; its message names the text and says how to write a time
 */
export function parseMoment(text: string, { now, timezone }: MomentContext): number {
    const typed = text.trim();
    if (/^now$/i.test(typed)) return now;
    if (/^[+-]/.test(typed)) return checked(typed, now + parseDistance(typed));
    if (/^\d+(\.\d+)?$/.test(typed)) return parseSeconds(typed);
    const offset = /\d\d:\d\d/.test(typed) ? OFFSET.exec(typed) : null;
    const wall = parseWall(typed, offset ? typed.slice(0, offset.index) : typed);
    return offset ? wall - secondsOf(offset) : onClockOf(timezone, wall);
}

/**
 * Reads the time that an option of a command has.
 *
 * @param option its name: `'at'`
 * @param text what was typed
 * @param timezone the zone of times without an offset: an IANA name; undefined: the process's
 * @param now from where distances count, in unix seconds; default: the present
 * @returns unix seconds
 * @throws BadOptionError with what `parseMoment` says, and the option in front
 */
export function parseMomentOption(
    option: string,
    text: string,
    timezone: string | undefined,
    now: number = Math.floor(Date.now() / 1000),
): number {
    try {
        return parseMoment(text, { now, timezone });
    } catch (error) {
        throw new BadOptionError(`--${option} ${(error as Error).message}`);
    }
}

function parseDistance(typed: string): number {
    const sign = typed.startsWith('-') ? -1 : 1;
    let milliseconds: number;
    try {
        milliseconds = parseDuration(typed.slice(1).trim());
    } catch (error) {
        throw new TypeError(`"${typed}" ${(error as Error).message}`);
    }
    if (milliseconds % 1000 !== 0)
        throw new TypeError(`"${typed}" is no distance in whole seconds, like +24h or -90m`);
    return (sign * milliseconds) / 1000;
}

function parseSeconds(typed: string): number {
    const seconds = Number(typed);
    if (seconds >= LEAST_MILLISECONDS) {
        throw new TypeError(
            `"${typed}" looks like milliseconds, not unix seconds: write ${Math.floor(seconds / 1000)}`,
        );
    }
    if (!Number.isInteger(seconds)) throw new TypeError(`"${typed}" is not a time in whole seconds`);
    if (seconds < LEAST) throw new TypeError(`"${typed}" is too small for unix seconds: ${HOW}`);
    return seconds;
}

/** What a clock in UTC would show at the unix seconds that are returned. */
function parseWall(typed: string, local: string): number {
    const [, date, time = '00:00', seconds = '00', fraction = '0'] = LOCAL.exec(local) ?? [];
    if (date === undefined) throw new TypeError(`"${typed}" is not a time: ${HOW}`);
    if (Number(fraction) !== 0) throw new TypeError(`"${typed}" is not a time in whole seconds`);
    const iso = `${date}T${time}:${seconds}.000Z`;
    const wall = new Date(iso);
    // V8 takes 30 February for the first of March.
    if (Number.isNaN(wall.getTime()) || wall.toISOString() !== iso)
        throw new TypeError(`"${typed}" is on no calendar and no clock`);
    return checked(typed, wall.getTime() / 1000);
}

function secondsOf({ groups: { sign, hours = '0', minutes = '0' } = {} }: RegExpExecArray): number {
    return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}

/** The first moment at which the clocks of a place show at least this. */
function onClockOf(timezone: string | undefined, wall: number): number {
    const shownAt = (moment: number) =>
        Date.parse(`${formatMoment(moment, timezone).replace(' ', 'T')}Z`) / 1000;
    const candidates = [wall - DAY, wall + DAY].map((moment) => wall - (shownAt(moment) - moment));
    const hits = candidates.filter((moment) => shownAt(moment) === wall);
    if (hits.length > 0) return Math.min(...hits);
    // The zone skips it: somewhere between the two the clocks were put forward past it.
    let [before, after] = [Math.min(...candidates), Math.max(...candidates)];
    while (after - before > 1) {
        const middle = Math.floor((before + after) / 2);
        if (shownAt(middle) >= wall) after = middle;
        else before = middle;
    }
    return after;
}

function checked(typed: string, moment: number): number {
    if (moment < 0 || moment >= LEAST_MILLISECONDS)
        throw new TypeError(`"${typed}" is not in the years from 1970 to 5138`);
    return moment;
}
