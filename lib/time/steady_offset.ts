/** A stretch of time in which a zone keeps its offset from UTC; unix seconds, both ends included. */
export interface SteadyOffset {
    readonly from: number;
    readonly until: number;
    /** Undefined where it is no whole number of minutes, as it was for some zones until 1972. */
    readonly minutes: number | undefined;
}

// A change that is undone within a day would go unnoticed; the shortest since 1970 lasted a week (Brazil, in 2000).
const STEP = 24 * 3600;

/** How far to both sides it looks, in seconds. */
const REACH = 16 * STEP;

const formats = new Map<string, Intl.DateTimeFormat>();
const found = new Map<string, SteadyOffset>();

/**
 * The stretch around a time in which a zone's clocks do not change. Inside it the wall clock is plain arithmetic, which
 * is ten times faster than asking `Intl` for it.
 *
 * @param timezone IANA name
 * @param second unix seconds
 * @returns the stretch: some sixteen days to both sides, less where the clocks change
 */
export function steadyOffset(timezone: string, second: number): SteadyOffset {
    let steady = found.get(timezone);
    if (steady === undefined || second < steady.from || second > steady.until) {
        steady = look(timezone, second);
        found.set(timezone, steady);
    }
    return steady;
}

function look(timezone: string, second: number): SteadyOffset {
    const minutes = offsetMinutes(timezone, second);
    let [from, until] = [second, second];
    while (from > second - REACH && offsetMinutes(timezone, from - STEP) === minutes) from -= STEP;
    while (until < second + REACH && offsetMinutes(timezone, until + STEP) === minutes) until += STEP;
    return { from, until, minutes };
}

/**
 * How far a zone's clocks are ahead of UTC at a time.
 *
 * @param timezone IANA name
 * @param second unix seconds
 * @returns minutes; undefined where they are no whole number
 */
export function offsetMinutes(timezone: string, second: number): number | undefined {
    let format = formats.get(timezone);
    if (format === undefined) {
        format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
        formats.set(timezone, format);
    }
    // "3/29/2026, GMT+01:00", and plain "GMT" for none.
    const [, sign, hours, minutes, seconds] =
        /GMT(?:([+-])(\d\d):(\d\d)(:\d\d)?)?$/.exec(format.format(second * 1000)) ?? [];
    if (seconds !== undefined) return undefined;
    if (sign === undefined) return 0;
    return (sign === '-' ? -1 : 1) * (60 * Number(hours) + Number(minutes));
}
