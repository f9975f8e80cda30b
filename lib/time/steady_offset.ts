import { LRUCache } from 'lru-cache';

/** A period in which a zone's clocks do not change; unix seconds, offsets from UTC in seconds. */
export interface SteadyOffset {
    readonly start: number;
    /** Not in it. */
    readonly end: number;
    readonly offset: number;
    /** The offset until `start`; the same one if the period begins earlier than was looked for. */
    readonly before: number;
}

const DAY = 24 * 3600;

/** The shortest time between two changes of a zone since 1970 was a week (Brazil, in 2000). */
const STEP = 4 * DAY;

/** Time is searched in blocks of 64 steps. */
const BLOCK = 64 * STEP;

/** A block begins this much earlier: the clocks may have shown the same time up to a day before. */
const OVERLAP = 2 * DAY;

const formats = new Map<string, Intl.DateTimeFormat>();
const blocks = new LRUCache<string, readonly SteadyOffset[]>({ max: 4096 });

/** The period around a time in which a zone's clocks do not change. It ends after some months even if they never do. */
export function steadyOffset(timezone: string, second: number): SteadyOffset {
    const block = Math.floor(second / BLOCK);
    const key = `${timezone} ${block}`;
    let stretches = blocks.get(key);
    if (stretches === undefined) {
        stretches = stretchesOf(timezone, block * BLOCK - OVERLAP, (block + 1) * BLOCK);
        blocks.set(key, stretches);
    }
    return stretches.find(({ end }) => second < end) as SteadyOffset;
}

function stretchesOf(timezone: string, from: number, to: number): SteadyOffset[] {
    const stretches: SteadyOffset[] = [];
    let start = from;
    let offset = offsetAt(timezone, from);
    let before = offset;
    for (let low = from; low < to; low += STEP) {
        const high = Math.min(low + STEP, to);
        const after = offsetAt(timezone, high);
        if (after === offset) continue;
        const end = firstSecondWith(timezone, after, low, high);
        stretches.push({ start, end, offset, before });
        [start, offset, before] = [end, after, offset];
    }
    return [...stretches, { start, end: to, offset, before }];
}

function firstSecondWith(timezone: string, offset: number, low: number, high: number): number {
    let [before, after] = [low, high];
    while (after - before > 1) {
        const middle = Math.floor((before + after) / 2);
        if (offsetAt(timezone, middle) === offset) after = middle;
        else before = middle;
    }
    return after;
}

function offsetAt(timezone: string, second: number): number {
    let format = formats.get(timezone);
    if (format === undefined) {
        format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
        formats.set(timezone, format);
    }
    // "3/29/2026, GMT+01:00", or plain "GMT" for UTC; some zones had seconds until 1972.
    const [, sign, hours = 0, minutes = 0, seconds = 0] =
        /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(second * 1000)) ?? [];
    return (sign === '-' ? -1 : 1) * (3600 * Number(hours) + 60 * Number(minutes) + Number(seconds));
}
