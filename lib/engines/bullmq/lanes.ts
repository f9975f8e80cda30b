import type { PastRun, PastSkips } from '../../runs/history.js';
import type { Pause } from '../../runs/pause.js';
import { nextSlot } from '../../schedule/calendar.js';
import { splitTimezone } from '../../schedule/crontab.js';
import { enterLane, type LaneMember } from '../lane_rules.js';
import type { Owner } from '../owner.js';
import { holdsLane } from '../row.js';
import { memberOf, type RedisRow } from './rows.js';

/** A command of Redis, its key without the prefix. */
export type Command = readonly string[];

/** What a step is decided from. */
export interface Basis {
    /** A field of a hash, and what it has to be: else nothing is done. */
    readonly check?: readonly [hash: string, field: string, value: string];
    /** The job whose pauses matter. */
    readonly job?: string;
    readonly ids: readonly string[];
    /** With an id: that run alone, which is in no lane. */
    readonly lanes: readonly (readonly [lane: string, id?: string])[];
}

/** What has to be read for rows that enter or leave their lanes. */
export function basisOf(entering: readonly RedisRow[], leaving: readonly RedisRow[] = []): Basis {
    const lanes = new Map<string, readonly [string, string?]>();
    for (const { lane } of [...entering, ...leaving]) lanes.set(lane, [lane]);
    for (const row of leaving) if (!holdsLane(row)) lanes.set(keyOf(row), [row.lane, row.id]);
    return { ids: [...entering, ...leaving].map(({ id }) => id), lanes: [...lanes.values()] };
}

/** What is read where no row is there, and all lanes are empty, as the script answers it. */
export function emptyReading({ check, ids, lanes }: Basis): string {
    const ofLanes = '\n\n\n\n\n'.repeat(lanes.length);
    return `${check?.[2] ?? ''}\n\t\n${'0'.repeat(ids.length)}${ofLanes}`;
}

/** Slots that do not run, for one reason, in unix seconds. */
export type Skips = Pick<PastSkips, 'reason' | 'first' | 'last' | 'count' | 'atLeast'>;

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
    /** What the job of its head is like: see the scripts. */
    readonly status: string;
    /** What is known of a head that waits for its retry. */
    readonly noted: string;
    readonly head: string | undefined;
    members: Member[];
    /** The newest skipped slots that history has, and their id there. */
    readonly skipped: PastSkips | undefined;
    readonly skippedId: string;
    /** What is skipped besides; older first. */
    readonly skips: PastSkips[];
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
    /** Those of the job that matters. */
    readonly pauses: readonly Pause[];
    readonly #commands: Command[] = [];
    readonly #known: ReadonlyMap<string, string | undefined>;
    readonly #lanes = new Map<string, Lane>();
    readonly #entered = new Map<string, RedisRow>();
    /** New rows that may be taken, beside the heads of lanes. */
    readonly #free: RedisRow[] = [];

    /**
     * @param now unix milliseconds
     * @param reading what the script answered
     */
    constructor(
        private readonly now: number,
        private readonly owner: Owner,
        readonly basis: Basis,
        readonly reading: string,
    ) {
        const [, pauses = '', known = '', ...lines] = reading.split('\n');
        this.pauses = pauses.split('\t').flatMap((text) => (text ? [JSON.parse(text) as Pause] : []));
        this.#known = new Map(basis.ids.map((id, index) => [id, known[index]]));
        for (const [index, lane] of basis.lanes.entries())
            this.#lanes.set(lane.join(' '), laneFrom(lines.slice(5 * index, 5 * index + 5)));
    }

    /** Besides it does this. */
    do(...commands: Command[]): void {
        this.#commands.push(...commands);
    }

    /** Lets a new row enter its lane, by its `overlap`. */
    enter(row: RedisRow): void {
        if (this.#known.get(row.id) === '0') this.#enter(row);
    }

    /** Lets a row enter its lane that has waited for its time outside of it. */
    move(row: RedisRow): void {
        if (!this.#isRow(row)) return;
        this.do(['ZREM', 'later', row.id], ['HDEL', 'rows', row.id]);
        this.#enter(row);
    }

    /** A run ends that has not started, or waits for its retry; any other one is asked to end. */
    stop(row: RedisRow, reason: string): void {
        if (!this.#isRow(row)) return;
        const status = this.#statusOf(row);
        const member = { ...memberFrom(memberOf(row)), ...stateOf(status) };
        if (status === 'r') this.#abort(row.id, reason);
        else this.#drop(row, this.#laneOf(keyOf(row)), member, reason);
    }

    /** Another one takes the place of a row, unless that has started meanwhile. */
    replace(row: RedisRow): void {
        if (stateOf(this.#statusOf(row)).attempt === 0) this.stop(row, 'replaced');
    }

    /** A row that was taken does not run, and leaves its lane. */
    skipTaken(row: RedisRow, reason: string): void {
        if (!this.#isRow(row)) return;
        this.#remove(row.id, row.lane, memberOf(row));
        this.skipRow(row, reason);
    }

    /** Records that a row does not run, and why. */
    skipRow(row: RedisRow, reason: string, behind?: string): void {
        const { scheduledAt: slot } = row;
        if (row.origin === 'schedule' && slot !== undefined)
            this.skip(row, { reason, first: slot, last: slot, count: 1, atLeast: false });
        this.ended.push({ row, reason, ...(behind !== undefined && { behind }) });
    }

    /** Records that slots of a row's lane do not run, and why; what follows on the entry before, with the same reason, shares it. */
    skip(of: RedisRow, slots: Skips): void {
        const { skips, skipped, skippedId } = this.#laneOf(of.lane);
        const before = skips.at(-1) ?? skipped;
        if (before && slots.first >= before.first && slots.last <= before.last) return;
        const { job, schedule, args, tenant } = of;
        const { host, pid } = this.owner;
        const entry: PastSkips = { kind: 'skips', job, schedule, args, tenant, host, pid, ...slots };
        if (before?.reason !== slots.reason || !follows(slots.first, before.last, of))
            return void skips.push(entry);
        if (before === skipped) this.do(['XDEL', `past:${job}`, skippedId]);
        skips.splice(-1, 1, { ...entry, first: before.first, count: before.count + slots.count });
    }

    /** Ends it: what the script is to do, and from what that was decided. */
    unit() {
        for (const [key, { skips }] of this.#lanes) {
            for (const one of skips) this.do(['XADD', `past:${one.job}`, '*', 'skips', JSON.stringify(one)]);
            const newest = skips.at(-1);
            if (newest) this.do(['HSET', 'skips', `${key} id`, '$last', key, JSON.stringify(newest)]);
        }
        return { basis: this.basis, reading: this.reading, commands: this.#commands };
    }

    /** The rows that may be taken now: those that are new, and the ids of those that were there before. */
    heads(): { fresh: RedisRow[]; freed: string[] } {
        const heads = [...this.#lanes.values()].flatMap(({ members: [first], head }) =>
            first && first.text !== head ? [first.id] : [],
        );
        const fresh = heads.flatMap((id) => this.#entered.get(id) ?? []);
        return { fresh: [...this.#free, ...fresh], freed: heads.filter((id) => !this.#entered.has(id)) };
    }

    #enter(given: RedisRow): void {
        const lane = this.#laneOf(given.lane);
        const { scheduledAt: slot = 0 } = given;
        const isScheduled = given.origin === 'schedule';
        const { first = Infinity, last = 0 } = lane.skipped ?? {};
        if (this.#entered.has(given.id) || (isScheduled && slot >= first && slot <= last)) return;
        if (given.runAt > this.now) {
            this.#write(given);
            this.do(['ZADD', 'later', String(given.runAt), given.id], ['HSET', 'live', 'later', '1']);
            return;
        }
        const joins = isScheduled && given.missed === 'all' && lane.members.some(waitsToCatchUp);
        const row = joins ? { ...given, catchesUp: true } : given;
        if (!holdsLane(row)) {
            this.#write(row);
            this.#free.push(row);
            return;
        }
        const entry = enterLane(row, lane.members);
        if (entry.kind === 'overlap') return void this.skipRow(row, 'overlap', entry.with.id);
        this.#write(row);
        const member = memberFrom(memberOf(row));
        if (entry.overtakes) this.do(['HSET', `runs:${entry.overtakes.id}`, 'data', HELD]);
        this.do([entry.overtakes ? 'LPUSH' : 'RPUSH', `lane:${row.lane}`, member.text]);
        lane.members = entry.overtakes ? [member, ...lane.members] : [...lane.members, member];
        for (const old of entry.supersedes) this.#drop(row, lane, old, 'superseded');
        if (entry.replaces?.state === 'delayed') this.#drop(row, lane, entry.replaces, 'replaced');
        else if (entry.replaces) this.#abort(entry.replaces.id, 'replaced');
        const catching = row.catchesUp ? lane.members.filter(waitsToCatchUp) : [];
        for (const old of catching.slice(0, -MOST_CATCHING_UP)) this.#drop(row, lane, old, 'too many');
    }

    #isRow({ id }: RedisRow): boolean {
        return Number(this.#known.get(id)) % 2 === 1;
    }

    /** What the job of a row is like that is at the head of its lane, or in none; of any other nothing is known. */
    #statusOf(row: RedisRow): string {
        const { status, head } = this.#laneOf(keyOf(row));
        return !holdsLane(row) || head === memberOf(row) ? status : '';
    }

    #laneOf(key: string): Lane {
        const lane = this.#lanes.get(key);
        if (!lane) throw new Error(`lane ${key} was not read`);
        return lane;
    }

    #write(row: RedisRow): void {
        this.#entered.set(row.id, row);
        this.do(['HSET', 'rows', row.id, JSON.stringify(row)]);
    }

    #abort(id: string, reason: string): void {
        this.do(['HSETNX', 'live', `abort ${id}`, reason]);
        this.aborts.push({ id, reason });
    }

    #drop(like: RedisRow, lane: Lane, { id, slot, text, attempt, catchesUp }: Member, reason: string): void {
        const row: RedisRow = like.id === id ? like : { ...like, id, scheduledAt: slot, catchesUp };
        // Who takes it finds this instead of it. Where the queue has no job of it yet, nobody adds one any more: it has its id.
        this.do(['HSET', `runs:${id}`, 'data', GONE], ['EXPIRE', `runs:${id}`, String(KEPT)]);
        this.do(['ZREM', 'later', id]);
        this.#remove(id, like.lane, text);
        if (attempt === 0) return void this.skipRow(row, reason);
        const noted = JSON.parse(lane.noted.slice(1)) as PastRun;
        const past: PastRun = { ...noted, outcome: 'aborted', reason, endedAt: Math.floor(this.now) };
        this.do(['XADD', `past:${row.job}`, '*', 'run', JSON.stringify(past)]);
        this.ended.push({ row, reason, past });
    }

    #remove(id: string, key: string, text: string): void {
        this.do(['HDEL', 'rows', id], ['HDEL', 'started', id], ['HDEL', 'live', `abort ${id}`]);
        this.do(['LREM', `lane:${key}`, '1', text]);
        const lane = this.#lanes.get(key);
        if (lane) lane.members = lane.members.filter((member) => member.id !== id);
    }
}

/** The key of what is read for a row that leaves: its lane, or itself. */
function keyOf(row: RedisRow): string {
    return holdsLane(row) ? row.lane : `${row.lane} ${row.id}`;
}

function laneFrom([skipped, skippedId = '', status = '', noted = '', texts]: readonly string[]): Lane {
    const members = texts ? texts.split(',').map(memberFrom) : [];
    const [first, ...others] = members;
    return {
        status,
        noted,
        head: first?.text,
        members: first ? [{ ...first, ...stateOf(status) }, ...others] : [],
        skipped: skipped ? (JSON.parse(skipped) as PastSkips) : undefined,
        skippedId,
        skips: [],
    };
}

function memberFrom(text: string): Member {
    const [letter, slot, id = ''] = text.split(' ');
    const [catchesUp, isScheduled] = [letter === 'c', letter !== 'm'];
    return { state: 'blocked', attempt: 0, catchesUp, isScheduled, id, slot: Number(slot), text };
}

function stateOf(status: string): Pick<LaneMember, 'state' | 'attempt'> {
    if (status === 'r') return { state: 'running', attempt: 1 };
    if (status === 'w') return { state: 'delayed', attempt: 1 };
    // One without a job is about to get it: no other can go first any more.
    return { state: status === 'n' ? 'waiting' : 'blocked', attempt: 0 };
}

function waitsToCatchUp({ catchesUp, attempt, state }: LaneMember): boolean {
    return catchesUp && attempt === 0 && state !== 'running';
}

// Nothing lies between: a slot there may still wait.
function follows(slot: number, known: number, { schedule }: Pick<RedisRow, 'schedule'>): boolean {
    const { crontab, timezone } = splitTimezone(schedule ?? '');
    return slot > known && nextSlot(crontab, timezone, known) === slot;
}
