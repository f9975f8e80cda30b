import { Cron } from 'croner';
import { LRUCache } from 'lru-cache';

/**
 * How many crontabs are kept ready at once. A `Cron` holds 81 kB (a table of years), so this bounds them to 42 MB;
 * and it is more than the crontabs that are due in one second of any app we know of, so that a busy second makes none.
 */
const MOST_CRONS = 512;

const crons = new LRUCache<string, Cron>({ max: MOST_CRONS });

/** Any time does, as croner searches 400 years from it, and the Gregorian calendar repeats after that. */
const SOME_TIME = new Date(0);

/**
 * The first slot of a crontab after a time.
 *
 * @param crontab five or six fields or a nickname, readable
 * @param timezone IANA name; undefined: the process's
 * @param after unix seconds
 * @returns unix seconds, strictly after; undefined: there is none
 */
export function nextSlot(crontab: string, timezone: string | undefined, after: number): number | undefined {
    return toSeconds(cronFor(crontab, timezone).nextRun(new Date(after * 1000)));
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
    return toSeconds(cronFor(crontab, timezone).previousRuns(1, new Date(before * 1000))[0]);
}

/**
 * Whether a crontab has any slot at all. `0 0 30 2 *` has none.
 *
 * @param crontab five or six fields or a nickname
 * @returns false where it never fires
 * @throws TypeError or RangeError of croner where it cannot be read
 */
export function everFires(crontab: string): boolean {
    return cronFor(crontab, undefined).nextRun(SOME_TIME) !== null;
}

// A Cron asks its options for the zone anew each time, so that one of them serves a crontab in all zones.
function cronFor(crontab: string, timezone: string | undefined): Cron {
    let cron = crons.get(crontab);
    if (cron === undefined) {
        cron = new Cron(crontab, { fixedTimeRule: 'no-wildcard', mode: '5-or-6-parts' });
        crons.set(crontab, cron);
    }
    cron.options.timezone = timezone;
    return cron;
}

function toSeconds(date: Date | null | undefined): number | undefined {
    return date ? date.getTime() / 1000 : undefined;
}
