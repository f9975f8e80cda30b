import { Cron } from 'croner';
import { LRUCache } from 'lru-cache';
import { processTimezone } from '../time/process_timezone.js';
import { type SteadyOffset, steadyOffset } from '../time/steady_offset.js';
import { plainCrontab } from './crontab.js';

/** Parsed crontabs, at 3 kB each. */
const ready = new LRUCache({
    max: 8192,
    memoMethod(crontab: string) {
        const cron = new Cron(plainCrontab(crontab), { mode: '5-or-6-parts', utcOffset: 0 });
        shareYears(cron);
        // Any start will do: croner searches 400 years, after which the Gregorian calendar repeats.
        return { cron, fires: nextTime(cron, 0) !== undefined, isFixed: hasFixedTimes(crontab) };
    },
});

const DAY = 24 * 3600;

/** More than any zone sets its clocks by. The search jumps to this long before a slot that is further away. */
const FAR = 2 * DAY;

// Slots are unix seconds, crontabs have been checked, and a zone is an IANA name, or undefined for the process's. A time on
// a wall clock is the unix second at which a clock in UTC shows it.

/** The first slot of a crontab strictly after a time; undefined: there is none. */
export function nextSlot(crontab: string, timezone: string | undefined, after: number): number | undefined {
    const { cron, isFixed } = ready.memo(crontab);
    const zone = timezone ?? processTimezone();
    for (let from = Math.floor(after) + 1; ; ) {
        const stretch = steadyOffset(zone, from);
        if (isFixed && from === stretch.start && isDueInGap(cron, stretch)) return from;
        const wall = nextTime(cron, Math.max(from + stretch.offset, firstTime(stretch, isFixed)) - 1);
        if (wall === undefined) return undefined;
        const slot = wall - stretch.offset;
        if (slot < stretch.end) return slot;
        from = Math.max(stretch.end, slot - FAR);
    }
}

/** The last slot of a crontab strictly before a time; undefined: there is none. */
export function previousSlot(
    crontab: string,
    timezone: string | undefined,
    before: number,
): number | undefined {
    const { cron, isFixed } = ready.memo(crontab);
    const zone = timezone ?? processTimezone();
    for (let until = Math.ceil(before) - 1; ; ) {
        const stretch = steadyOffset(zone, until);
        const wall = previousTime(cron, until + stretch.offset + 1);
        if (wall === undefined) return undefined;
        const slot = wall - stretch.offset;
        if (wall >= firstTime(stretch, isFixed)) return slot;
        if (isFixed && isDueInGap(cron, stretch)) return stretch.start;
        until = Math.min(stretch.start - 1, slot + FAR);
    }
}

/**
 * Whether a crontab has any slot; `0 0 30 2 *` has none.
 *
 * @throws BadScheduleError where it cannot be read
 */
export function everFires(crontab: string): boolean {
    return ready.memo(crontab).fires;
}

/** Whether a crontab has fixed times: neither a star nor a step in its seconds, minutes and hours. */
export function hasFixedTimes(crontab: string): boolean {
    if (crontab.startsWith('@')) return crontab.toLowerCase() !== '@hourly';
    return !/[*?/]/.test(crontab.split(' ').slice(0, -3).join());
}

/** The first time in a stretch that may be a slot: a fixed time that the clocks show again is not one a second time. */
function firstTime({ start, offset, before }: SteadyOffset, isFixed: boolean): number {
    return start + (isFixed ? Math.max(offset, before) : offset);
}

/** Whether the clocks jumped over a slot at the start of a stretch. Where they skip a whole day, its slots are lost. */
function isDueInGap(cron: Cron, { start, offset, before }: SteadyOffset): boolean {
    if (offset <= before || offset - before >= DAY) return false;
    const time = nextTime(cron, start + before - 1);
    return time !== undefined && time < start + offset;
}

function nextTime(cron: Cron, after: number): number | undefined {
    const date = cron.nextRun(new Date(after * 1000));
    return date ? date.getTime() / 1000 : undefined;
}

function previousTime(cron: Cron, before: number): number | undefined {
    const [date] = cron.previousRuns(1, new Date(before * 1000));
    return date && date.getTime() / 1000;
}

let years: unknown;

/**
 * A Cron holds a table of 10,000 years, 80 of its 82 kB. All crontabs without a field for years have the same table, and
 * ours have no such field, so they share one. The table is private to croner: if a later version moves it, a Cron merely
 * becomes large, and the test of their size fails.
 */
function shareYears(cron: Cron): void {
    const { pattern } = (cron as unknown as { _states?: { pattern?: { year?: unknown } } })._states ?? {};
    if (pattern?.year === undefined) return;
    years ??= pattern.year;
    pattern.year = years;
}
