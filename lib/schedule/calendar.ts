import { Cron } from 'croner';
import { LRUCache } from 'lru-cache';
import { steadyOffset } from '../time/steady_offset.js';
import { plainCrontab } from './crontab.js';

/** How many crontabs are kept ready at once, at 3 kB each. */
const MOST_CRONS = 8192;

const crons = new LRUCache<string, Cron>({ max: MOST_CRONS });

/** Any time does, as croner searches 400 years from it, and the Gregorian calendar repeats after that. */
const SOME_TIME = new Date(0);

/**
 * How long after the clocks were set back, by at most a day, a fixed time may be the second of its kind, which is none
 * of its slots; in seconds.
 */
const SETTLED = 26 * 3600;

/**
 * The first slot of a crontab after a time.
 *
 * @param crontab five or six fields or a nickname, readable
 * @param timezone IANA name; undefined: the process's
 * @param after unix seconds
 * @returns unix seconds, strictly after; undefined: there is none
 */
export function nextSlot(crontab: string, timezone: string | undefined, after: number): number | undefined {
    const date = new Date(after * 1000);
    if (timezone !== undefined) {
        const { from, until, minutes } = steadyOffset(timezone, after);
        if (minutes !== undefined && after >= from + SETTLED) {
            const slot = toSeconds(cronFor(crontab, minutes).nextRun(date));
            if (slot !== undefined && slot <= until) return slot;
        }
    }
    return toSeconds(cronFor(crontab, timezone).nextRun(date));
}

/**
 * The last slot of a crontab before a time.
 *
 * @param crontab five or six fields or a nickname, readable
 * @param timezone IANA name; undefined: the process's
 * @param before unix seconds
 * @returns unix seconds, strictly before; undefined: there is none
 */
export function previousSlot(
    crontab: string,
    timezone: string | undefined,
    before: number,
): number | undefined {
    const date = new Date(before * 1000);
    if (timezone !== undefined) {
        const { from, minutes } = steadyOffset(timezone, before);
        if (minutes !== undefined && before >= from + SETTLED) {
            const slot = toSeconds(cronFor(crontab, minutes).previousRuns(1, date)[0]);
            if (slot !== undefined && slot >= from + SETTLED) return slot;
        }
    }
    return toSeconds(cronFor(crontab, timezone).previousRuns(1, date)[0]);
}

/**
 * Whether a crontab has any slot at all. `0 0 30 2 *` has none.
 *
 * @param crontab five or six fields or a nickname
 * @returns false where it never fires
 * @throws BadScheduleError where it cannot be read
 */
export function everFires(crontab: string): boolean {
    return cronFor(crontab, 0).nextRun(SOME_TIME) !== null;
}

// A Cron asks its options for the zone anew each time, so that one of them serves a crontab in all zones.
function cronFor(crontab: string, zone: string | number | undefined): Cron {
    let cron = crons.get(crontab);
    if (cron === undefined) {
        cron = new Cron(plainCrontab(crontab), { fixedTimeRule: 'no-wildcard', mode: '5-or-6-parts' });
        shareYears(cron);
        crons.set(crontab, cron);
    }
    cron.options.timezone = typeof zone === 'string' ? zone : undefined;
    cron.options.utcOffset = typeof zone === 'number' ? zone : undefined;
    return cron;
}

let years: unknown;

/**
 * A Cron holds a table of 10,000 years, 80 of its 82 kB. It is the same for every crontab without a field for years,
 * which are all of ours, so they share one. It is private to croner: where a later version has it elsewhere, a Cron is
 * no worse than large, and the test on their size tells.
 */
function shareYears(cron: Cron): void {
    const { pattern } = (cron as unknown as { _states?: { pattern?: { year?: unknown } } })._states ?? {};
    if (pattern?.year === undefined) return;
    years ??= pattern.year;
    pattern.year = years;
}

function toSeconds(date: Date | null | undefined): number | undefined {
    return date ? date.getTime() / 1000 : undefined;
}
