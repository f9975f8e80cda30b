import { hasFixedTimes, nextSlot } from '../schedule/calendar.js';
import type { Schedule } from '../schedule/schedule.js';
import { formatMoment } from '../time/moment.js';
import { steadyOffset } from '../time/steady_offset.js';
import type { Flaw } from './finding.js';

/** A moment at which a zone's clocks change; unix seconds, offsets from UTC in seconds. */
export interface ClockChange {
    readonly at: number;
    readonly before: number;
    readonly after: number;
}

const DAY = 24 * 3600;

/** The changes of a zone's clocks, in order. */
export function clockChanges(timezone: string, from: number, until: number): ClockChange[] {
    const changes: ClockChange[] = [];
    let { end: at, offset: before } = steadyOffset(timezone, from);
    while (at <= until) {
        const { end, offset: after } = steadyOffset(timezone, at);
        if (after !== before) changes.push({ at, before, after });
        [at, before] = [end, after];
    }
    return changes;
}

/**
 * Finds local times that do not exist, or come twice, and so change when a schedule runs. Without fixed times a schedule is
 * only affected if it has no other slot on that day. The first of each kind is reported.
 */
export function clockChange(
    schedule: Schedule,
    timezone: string,
    from: number,
    until: number,
): Flaw | undefined {
    const changes = clockChanges(timezone, from, until);
    const effects = [changes.filter(isGap), changes.filter((change) => !isGap(change))].flatMap((ofOneKind) =>
        ofOneKind.flatMap((change) => effectOf(schedule, change) ?? []).slice(0, 1),
    );
    if (effects.length === 0) return undefined;
    const hours = [...new Set(effects.map(({ wall }) => `${clock(wall.from)}-${clock(wall.until)}`))];
    return {
        rule: 'clock-change',
        message: `in ${timezone} ${effects.map(({ sentence }) => sentence).join('; ')}`,
        cure: `move it out of ${hours.join(' and ')}, or into a zone without such changes, like UTC`,
    };
}

/** A period on the wall clock, in seconds as if it showed UTC; `until` is not in it. */
interface WallTime {
    readonly from: number;
    readonly until: number;
}

interface Effect {
    readonly wall: WallTime;
    readonly sentence: string;
}

function effectOf(schedule: Schedule, change: ClockChange): Effect | undefined {
    const offsets = [change.before, change.after];
    const wall = { from: change.at + Math.min(...offsets), until: change.at + Math.max(...offsets) };
    const time = firstWithin(schedule.crontab, wall);
    if (time === undefined) return undefined;
    const isFixed = hasFixedTimes(schedule.crontab);
    if (!isFixed && !isAloneInDay(schedule.crontab, wall)) return undefined;
    if (!isGap(change)) {
        const runs = isFixed ? 'at the first' : 'both times';
        return { wall, sentence: `${clock(time)} comes twice on ${date(time)}: it runs ${runs}` };
    }
    const runs = isFixed && schedule.matches(change.at) ? `runs at ${endOf(wall)}` : 'does not run that day';
    return { wall, sentence: `${clock(time)} does not exist on ${date(time)}: it ${runs}` };
}

function isGap({ before, after }: ClockChange): boolean {
    return after > before;
}

function firstWithin(crontab: string, { from, until }: WallTime): number | undefined {
    const time = nextSlot(crontab, 'UTC', from - 1);
    return time !== undefined && time < until ? time : undefined;
}

function isAloneInDay(crontab: string, { from, until }: WallTime): boolean {
    const midnight = Math.floor(from / DAY) * DAY;
    const isFree = (stretch: WallTime) => firstWithin(crontab, stretch) === undefined;
    return isFree({ from: midnight, until: from }) && isFree({ from: until, until: midnight + DAY });
}

function endOf({ from, until }: WallTime): string {
    return date(from) === date(until) ? clock(until) : `${clock(until)} on ${date(until)}`;
}

function clock(wall: number): string {
    return formatMoment(wall, 'UTC').slice(11, 16);
}

function date(wall: number): string {
    return formatMoment(wall, 'UTC').slice(0, 10);
}
