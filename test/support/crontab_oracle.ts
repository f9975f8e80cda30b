import { type Stretch, stretches } from './time_zone_oracle.js';

/** One field of a crontab: its text, and what the text means. */
export interface Field {
    readonly text: string;
    readonly values: ReadonlySet<number>;
}

/** A day, as far as crontabs look at it. */
export interface Day {
    readonly year: number;
    /** 1-12 */
    readonly month: number;
    readonly day: number;
    /** 0-6, from Sunday */
    readonly weekday: number;
    readonly daysInMonth: number;
}

/** The day of the month or of the week: its text, and what the text means. */
export interface DayField {
    readonly text: string;
    includes(day: Day): boolean;
}

/** A crontab that knows what it means, because it was never parsed. */
export interface Crontab {
    readonly text: string;
    readonly seconds: Field;
    readonly minutes: Field;
    readonly hours: Field;
    readonly months: Field;
    readonly daysOfMonth: DayField;
    readonly daysOfWeek: DayField;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Whether a crontab has fixed times: no wildcard and no step in seconds, minutes and hours. */
export function isFixedTime({ seconds, minutes, hours }: Crontab): boolean {
    return ![seconds, minutes, hours].some(({ text }) => /[*?/]/.test(text));
}

/**
 * The slots of a crontab by brute force, from a unix second up to and with another: it looks at every second, on the wall
 * clock of the zone.
 *
 * An interval is due whenever the wall clock shows one of its times. A fixed time is due when the wall clock first shows
 * it; where the wall clock jumps over it, at the end of the jump, unless the jump takes the whole day.
 */
export function slotsOf(crontab: Crontab, zone: string, from: number, to: number): number[] {
    const found = new Set<number>();
    const fixed = isFixedTime(crontab);
    const times = timesOf(crontab);
    const includes = dayFilter(crontab);
    // A day and an hour more before it, so that the first showing of a repeated time is in sight.
    const pieces = stretches(zone, from - DAY - HOUR, to + 1);
    for (const [index, piece] of pieces.entries()) {
        const earlier = pieces.slice(0, index);
        const { start, end, offset } = piece;
        let time = (start + offset) % DAY;
        for (let wall = start + offset; wall < end + offset; wall++, time = time === DAY - 1 ? 0 : time + 1) {
            // The times first, and no division of a large number: it goes round half a million times.
            if (times[time] === 0 || !includes(wall)) continue;
            if (!(fixed && earlier.some((stretch) => shows(stretch, wall)))) found.add(wall - offset);
        }
        const before = earlier.at(-1);
        if (!fixed || before === undefined) continue;
        if (jumpedTimes(before, piece).some((wall) => times[wall % DAY] === 1 && includes(wall)))
            found.add(start);
    }
    return [...found].filter((second) => second >= from && second <= to).sort((a, b) => a - b);
}

function shows({ start, end, offset }: Stretch, wall: number): boolean {
    return wall >= start + offset && wall < end + offset;
}

/** The wall clock times between two stretches that no clock shows, but for those of days that do not exist at all. */
function jumpedTimes(before: Stretch, after: Stretch): number[] {
    const from = before.end + before.offset;
    const to = after.start + after.offset;
    return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index).filter((wall) => {
        const midnight = wall - (wall % DAY);
        return !(midnight >= from && midnight + DAY <= to);
    });
}

function dayFilter(crontab: Crontab): (wall: number) => boolean {
    const days = new Map<number, boolean>();
    return (wall) => {
        const number = Math.floor(wall / DAY);
        let included = days.get(number);
        if (included === undefined) {
            included = includesDay(crontab, dayOf(number));
            days.set(number, included);
        }
        return included;
    };
}

/** For each second of a day, whether it is one of the crontab's times. */
function timesOf({ hours, minutes, seconds }: Crontab): Uint8Array {
    const times = new Uint8Array(DAY);
    for (const hour of hours.values) {
        for (const minute of minutes.values) {
            for (const second of seconds.values) times[hour * 3600 + minute * 60 + second] = 1;
        }
    }
    return times;
}

// crontab(5): where both are restricted, either is enough.
function includesDay({ months, daysOfMonth, daysOfWeek }: Crontab, day: Day): boolean {
    if (!months.values.has(day.month)) return false;
    const either = daysOfMonth.text !== '*' && daysOfWeek.text !== '*' && !daysOfWeek.text.startsWith('+');
    const [byMonth, byWeek] = [daysOfMonth.includes(day), daysOfWeek.includes(day)];
    return either ? byMonth || byWeek : byMonth && byWeek;
}

function dayOf(number: number): Day {
    const date = new Date(number * DAY * 1000);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
    return {
        year,
        month,
        day: date.getUTCDate(),
        weekday: date.getUTCDay(),
        daysInMonth: new Date(Date.UTC(year, month, 0)).getUTCDate(),
    };
}
