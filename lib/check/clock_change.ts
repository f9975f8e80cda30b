import { hasFixedTimes, nextSlot } from '../schedule/calendar.js';
import type { Schedule } from '../schedule/schedule.js';
import { formatMoment } from '../time/moment.js';
import { type SteadyOffset, steadyOffset } from '../time/steady_offset.js';
import type { Flaw } from './finding.js';

const DAY = 24 * 3600;

/** The periods that begin with a change of a zone's clocks, in order. */
export function clockChanges(timezone: string, from: number, until: number): SteadyOffset[] {
    const changes: SteadyOffset[] = [];
    let current = steadyOffset(timezone, from);
    while (current.end <= until) {
        const next = steadyOffset(timezone, current.end);
        if (next.offset !== current.offset) changes.push(next);
        current = next;
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

function effectOf(schedule: Schedule, change: SteadyOffset): Effect | undefined {
    const walls = [change.start + change.before, change.start + change.offset];
    const wall = { from: Math.min(...walls), until: Math.max(...walls) };
    const time = firstWithin(schedule.crontab, wall);
    if (time === undefined) return undefined;
    const isFixed = hasFixedTimes(schedule.crontab);
    if (!isFixed && !isAloneInDay(schedule.crontab, wall)) return undefined;
    if (!isGap(change)) {
        const runs = isFixed ? 'at the first' : 'both times';
        return { wall, sentence: `${clock(time)} comes twice on ${date(time)}: it runs ${runs}` };
    }
    const runs =
        isFixed && schedule.matches(change.start) ? `runs at ${endOf(wall)}` : 'does not run that day';
    return { wall, sentence: `${clock(time)} does not exist on ${date(time)}: it ${runs}` };
}

function isGap({ before, offset }: SteadyOffset): boolean {
    return offset > before;
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
