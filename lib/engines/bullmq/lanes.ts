import type { PastRun } from '../../runs/history.js';
import { nextSlot } from '../../schedule/calendar.js';
import { splitTimezone } from '../../schedule/crontab.js';
import { enterLane, type LaneMember } from '../lane_rules.js';
import type { Owner } from '../owner.js';
import { holdsLane, memberOf, pastOf, type RedisRow } from './rows.js';

/** A command of Redis, its key without the prefix; as a check, what it has to answer stands at its end. */
type Command = readonly string[];

/** What is done in one step, if all that it was decided from is still so. */
export interface Unit {
    readonly checks: readonly Command[];
    readonly ops: readonly Command[];
    /** Whether the units behind it are not done without it. */
    readonly leads?: boolean;
}

/** What was read to decide on a row that enters its lane, or leaves it. */
export interface Reading {
    /** Whether the row, or its job in the queue, is there already. */
    readonly isKnown: boolean;
    /** The lane's newest entry of skipped slots. */
    readonly skips: SkipEntry | undefined;
    readonly skipsId: string;
    /** What the job of the lane's head is like: see the scripts. */
    readonly status: string;
    /** What is known of a head that waits for its retry. */
    readonly noted: string;
    readonly members: readonly string[];
}

/** Slots that do not run, for one reason, in unix seconds. */
export interface Skips {
    readonly reason: string;
    readonly first: number;
    readonly last: number;
    readonly count: number;
    readonly atLeast: boolean;
}

/** The same with what they have in common, as history has it. */
export interface SkipEntry extends Skips {
    readonly past: string;
}

/** A run that has ended, or does not start. */
export interface EndedRow {
    readonly row: RedisRow;
    readonly reason: string;
    /** What is remembered of it, where it had started. */
    readonly past?: PastRun;
    /** The run that it would overlap. */
    readonly behind?: string;
}

interface Member extends LaneMember {
    readonly id: string;
    readonly slot: number;
    readonly text: string;
}

interface Lane {
    readonly reading: Reading;
    members: Member[];
    isChecked: boolean;
    /** Older first; one that is known stands in Redis already. */
    readonly skips: (SkipEntry & { readonly isKnown?: boolean })[];
}

/** As many runs that catch up wait in a lane. */
const MOST_CATCHING_UP = 100;

/** Ended runs stay in BullMQ this long, in seconds: a forgotten id is a slot that may run twice, where a crontab is changed. */
export const KEPT = 2 * 24 * 3_600;

const GONE = JSON.stringify({ gone: true });

/** The data of a job whose run lets another one of its lane go first. */
export const HELD = JSON.stringify({ held: true });

/** Decides what one step does to lanes, from what was read. */
export class LanePlan {
    readonly ended: EndedRow[] = [];
    readonly aborts: { readonly id: string; readonly reason: string }[] = [];
    /** New rows that may be taken; they are known once it is finished. */
    readonly heads: RedisRow[] = [];
    /** The ids of rows that were there before, and may be taken now. */
    readonly freed: string[] = [];
    readonly #checks: Command[];
    readonly #ops: Command[];
    /** Checks that do something, and come last. */
    readonly #left: Command[] = [];
    readonly #lanes = new Map<string, Lane>();
    readonly #entered = new Map<string, RedisRow>();

    /**
     * @param now unix milliseconds
     * @param unit what the step does besides
     */
    constructor(
        private readonly now: number,
        private readonly owner: Owner,
        unit: Unit = { checks: [], ops: [] },
    ) {
        this.#checks = [...unit.checks];
        this.#ops = [...unit.ops];
    }

    /** Lets a new row enter its lane, by its `overlap`. */
    enter(given: RedisRow, reading: Reading): void {
        const lane = this.#laneOf(given.lane, reading);
        const { skips } = reading;
        const { slot } = given;
        if (reading.isKnown || this.#entered.has(given.id)) return;
        if (
            given.origin === 'schedule' &&
            skips &&
            slot !== null &&
            slot >= skips.first &&
            slot <= skips.last
        )
            return;
        if (given.runAt > this.now) {
            this.#delay(given);
            return;
        }
        const joins =
            given.origin === 'schedule' && given.missed === 'all' && lane.members.some(waitsToCatchUp);
        const row = joins ? { ...given, catchesUp: true } : given;
        if (!holdsLane(row)) {
            this.#write(row);
            this.heads.push(row);
            return;
        }
        this.#check(given.lane, lane);
        const entry = enterLane(row, lane.members);
        if (entry.kind === 'overlap') {
            this.skipRow(row, reading, 'overlap', entry.with.id);
            return;
        }
        this.#write(row);
        const member = memberFrom(memberOf(row));
        if (entry.overtakes) this.#replaceData(entry.overtakes.id, HELD);
        this.#ops.push([entry.overtakes ? 'LPUSH' : 'RPUSH', `lane:${row.lane}`, member.text]);
        lane.members = entry.overtakes ? [member, ...lane.members] : [...lane.members, member];
        for (const old of entry.supersedes) this.#drop(row, lane, old, 'superseded');
        if (entry.replaces?.state === 'delayed') this.#drop(row, lane, entry.replaces, 'replaced');
        else if (entry.replaces) this.#abort(entry.replaces.id, 'replaced');
        const catching = row.catchesUp ? lane.members.filter(waitsToCatchUp) : [];
        for (const old of catching.slice(0, -MOST_CATCHING_UP)) this.#drop(row, lane, old, 'too many');
    }

    /** Lets a row enter its lane that has waited for its time outside of it. */
    move(row: RedisRow, reading: Reading): void {
        this.#checks.push(['HEXISTS', 'rows', row.id, '1']);
        this.#ops.push(['ZREM', 'later', row.id], ['HDEL', 'rows', row.id]);
        this.enter(row, { ...reading, isKnown: false });
    }

    /** A run ends that has not started, or waits for its retry; any other one is asked to end. */
    stop(row: RedisRow, reading: Reading, reason: string): void {
        const lane = this.#laneOf(row.lane, reading);
        const member = lane.members.find(({ id }) => id === row.id);
        const isAsked = !holdsLane(row) || member === undefined || member.text === reading.members[0];
        this.#checks.push(['HEXISTS', 'rows', row.id, '1']);
        if (isAsked) this.#checks.push(['STATUS', row.id, reading.status]);
        if (isAsked && reading.status === 'r') {
            this.#abort(row.id, reason);
            return;
        }
        const own = { ...memberFrom(memberOf(row)), ...stateOf(reading.status) };
        this.#drop(row, lane, member ?? own, reason);
    }

    /** Records that a row does not run, and why. */
    skipRow(row: RedisRow, reading: Reading, reason: string, behind?: string): void {
        const { slot } = row;
        if (row.origin === 'schedule' && slot !== null)
            this.skip(row, reading, { reason, first: slot, last: slot, count: 1, atLeast: false });
        this.ended.push({ row, reason, ...(behind !== undefined && { behind }) });
    }

    /** Records that slots of a row's lane do not run, and why; what follows on the entry before, with the same reason, shares it. */
    skip(of: RedisRow, reading: Reading, slots: Skips): void {
        const { skips } = this.#laneOf(of.lane, reading);
        const before = skips.at(-1);
        if (before && slots.first >= before.first && slots.last <= before.last) return;
        const past = pastOf(of, this.owner);
        if (before?.reason !== slots.reason || !follows(slots.first, before.last, of))
            return void skips.push({ ...slots, past });
        if (before.isKnown) this.#ops.push(['XDEL', `past:${of.job}`, reading.skipsId]);
        skips.splice(-1, 1, { ...slots, first: before.first, count: before.count + slots.count, past });
    }

    /** A row that has ended leaves its lane; the last command answers who is at its head then. */
    leave(row: RedisRow, past: string | undefined): void {
        this.#left.push(['HDEL', 'rows', row.id, '1']);
        this.#ops.push(['HDEL', 'started', row.id]);
        if (past !== undefined) this.#ops.push(['XADD', `past:${row.job}`, '*', 'run', past]);
        if (!holdsLane(row)) return;
        const list = `lane:${row.lane}`;
        this.#ops.push(['LREM', list, '1', memberOf(row)], ['LINDEX', list, '0']);
    }

    /** Ends it: what is to be done. */
    finish(): Unit {
        for (const [key, lane] of this.#lanes) {
            this.#recordSkips(key, lane);
            const [head] = lane.members;
            if (!lane.isChecked || !head || lane.reading.members[0] === head.text) continue;
            const row = this.#entered.get(head.id);
            if (row) this.heads.push(row);
            else this.freed.push(head.id);
        }
        return { checks: [...this.#checks, ...this.#left], ops: this.#ops };
    }

    #laneOf(key: string, reading: Reading): Lane {
        const known = this.#lanes.get(key);
        if (known) return known;
        const members = reading.members.map((text, index) => ({
            ...memberFrom(text),
            ...(index === 0 && stateOf(reading.status)),
        }));
        const skips = reading.skips ? [{ ...reading.skips, isKnown: true }] : [];
        const lane: Lane = { reading, members, isChecked: false, skips };
        this.#lanes.set(key, lane);
        return lane;
    }

    #check(key: string, lane: Lane): void {
        if (lane.isChecked) return;
        lane.isChecked = true;
        const { members, status } = lane.reading;
        this.#checks.push(['LRANGE', `lane:${key}`, '0', '-1', members.join('\n')]);
        const [head] = lane.members;
        if (head) this.#checks.push(['STATUS', head.id, status]);
    }

    #write(row: RedisRow): void {
        this.#entered.set(row.id, row);
        this.#checks.push(['EXISTS', `runs:${row.id}`, '0']);
        this.#ops.push(['HSET', 'rows', row.id, JSON.stringify(row)]);
    }

    #delay(row: RedisRow): void {
        this.#write(row);
        this.#ops.push(['ZADD', 'later', String(row.runAt), row.id]);
        this.#ops.push(['HSET', 'live', 'later', '1']);
    }

    #abort(id: string, reason: string): void {
        this.#ops.push(['HSETNX', 'live', `abort ${id}`, reason]);
        this.aborts.push({ id, reason });
    }

    #drop(like: RedisRow, lane: Lane, { id, slot, text, attempt, catchesUp }: Member, reason: string): void {
        const { reading } = lane;
        const row: RedisRow = like.id === id ? like : { ...like, id, slot, catchesUp };
        if (lane.members.some((member) => member.id === id)) this.#check(like.lane, lane);
        this.#replaceData(id, GONE);
        this.#ops.push(['HDEL', 'rows', id], ['HDEL', 'started', id], ['HDEL', 'live', `abort ${id}`]);
        this.#ops.push(['ZREM', 'later', id]);
        this.#ops.push(['LREM', `lane:${like.lane}`, '1', text]);
        lane.members = lane.members.filter((member) => member.id !== id);
        if (attempt === 0) {
            this.skipRow(row, reading, reason);
            return;
        }
        const noted = JSON.parse(reading.noted.slice(1)) as PastRun;
        const past: PastRun = { ...noted, outcome: 'aborted', reason, endedAt: Math.floor(this.now) };
        this.#ops.push(['XADD', `past:${row.job}`, '*', 'run', JSON.stringify(past)]);
        this.ended.push({ row, reason, past });
    }

    // Who takes it finds this instead of it. Where the queue has no job of it yet, nobody adds one any more: it has its id.
    #replaceData(id: string, data: string): void {
        this.#ops.push(['HSET', `runs:${id}`, 'data', data], ['EXPIRE', `runs:${id}`, String(KEPT)]);
    }

    #recordSkips(key: string, { skips, reading }: Lane): void {
        const fresh = skips.filter(({ isKnown }) => !isKnown);
        const newest = fresh.at(-1);
        if (!newest) return;
        this.#checks.push(['HGET', 'skips', `${key} id`, reading.skipsId]);
        for (const { past, reason, first, last, count, atLeast } of fresh) {
            const { job } = JSON.parse(past) as { job: string };
            const numbers = Object.entries({ first, last, count, atLeast: atLeast ? 1 : 0 })
                .flat()
                .map(String);
            this.#ops.push(['XADD', `past:${job}`, '*', 'skips', past, 'reason', reason, ...numbers]);
        }
        this.#ops.push(['HSET', 'skips', key, JSON.stringify(newest), `${key} id`, '$last']);
    }
}

function memberFrom(text: string): Member {
    const [letter, slot, id = ''] = text.split(' ');
    return {
        seq: 0,
        state: 'blocked',
        attempt: 0,
        catchesUp: letter === 'c',
        isScheduled: letter !== 'm',
        id,
        slot: Number(slot),
        text,
    };
}

function stateOf(status: string): Pick<LaneMember, 'state' | 'attempt'> {
    if (status === 'r') return { state: 'running', attempt: 1 };
    return status === 'w' ? { state: 'delayed', attempt: 1 } : { state: 'waiting', attempt: 0 };
}

function waitsToCatchUp({ catchesUp, attempt, state }: LaneMember): boolean {
    return catchesUp && attempt === 0 && state !== 'running';
}

// Nothing lies between: a slot there may still wait.
function follows(slot: number, known: number, { schedule }: Pick<RedisRow, 'schedule'>): boolean {
    const { crontab, timezone } = splitTimezone(schedule ?? '');
    return slot > known && nextSlot(crontab, timezone, known) === slot;
}
