import type { TenantId } from '../../runs/run.js';
import type { Json } from '../../schedule/args.js';
import { nextSlot } from '../../schedule/calendar.js';
import { splitTimezone } from '../../schedule/crontab.js';
import type { Database, SqlValue } from './database.js';
import type { Step } from './rows.js';

/** Slots that did not run, for one reason. Times are unix seconds. */
export interface SkippedSlots {
    readonly job: string;
    readonly lane: string;
    /** The crontab, and its zone. */
    readonly schedule: string | undefined;
    readonly args: readonly Json[];
    readonly tenant: TenantId | undefined;
    readonly reason: string;
    readonly first: number;
    readonly last: number;
    readonly count: number;
    /** Whether there are more of them than were counted. */
    readonly atLeast: boolean;
}

/**
 * Records slots that did not run. Successive slots of a schedule with one reason share a row, so that an overlap of
 * hours does not fill the file. A slot that has a row of its own is left out.
 */
export function recordSkips(step: Step, slots: SkippedSlots): void {
    for (const part of withoutRows(step.database, slots)) record(step, part);
}

const INSERT = `INSERT INTO bot_skips (job, lane, schedule, args, tenant, reason, first, last, count, at_least, host, pid)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

function record({ database, by }: Step, slots: SkippedSlots): void {
    const { job, lane, schedule = null, args, tenant, reason, first, last, count } = slots;
    const atLeast = slots.atLeast ? 1 : 0;
    const before = database
        .statement(
            'SELECT seq, first, last, reason FROM bot_skips WHERE lane = ? AND schedule IS ? ORDER BY last DESC LIMIT 1',
        )
        .get([lane, schedule]) as { seq: number; first: number; last: number; reason: string } | undefined;
    if (before && first >= before.first && last <= before.last) return;
    if (before?.reason === reason && follows(slots, before.last)) {
        const grow =
            'UPDATE bot_skips SET last = ?, count = count + ?, at_least = max(at_least, ?) WHERE seq = ?';
        database.statement(grow).run([last, count, atLeast, before.seq]);
        return;
    }
    const who: SqlValue = tenant === undefined ? null : JSON.stringify(tenant);
    const values = [job, lane, schedule, JSON.stringify(args), who, reason, first, last, count, atLeast];
    database.statement(INSERT).run([...values, by.host, by.pid]);
}

// The crontab was changed, and changed back: some of the slots have run under the other.
function* withoutRows(database: Database, slots: SkippedSlots): Generator<SkippedSlots> {
    const rows = database
        .statement(
            `SELECT slot FROM bot_runs INDEXED BY bot_slots
            WHERE lane = ? AND slot BETWEEN ? AND ? AND origin = 'schedule' ORDER BY slot`,
        )
        .all([slots.lane, slots.first, slots.last])
        .map((row) => row['slot'] as number);
    if (rows.length === 0) {
        yield slots;
        return;
    }
    const next = nextOf(slots);
    let slot: number | undefined = slots.first;
    for (const until of [...rows, slots.last + 1]) {
        const part: number[] = [];
        for (; slot !== undefined && slot < until; slot = next(slot)) part.push(slot);
        if (slot === until) slot = next(slot);
        const [first] = part;
        if (first !== undefined)
            yield { ...slots, first, last: part.at(-1) ?? first, count: part.length, atLeast: false };
    }
}

// Nothing lies between: a slot there may still wait.
function follows(slots: SkippedSlots, known: number): boolean {
    return slots.schedule !== undefined && slots.first > known && nextOf(slots)(known) === slots.first;
}

function nextOf({ schedule }: SkippedSlots): (after: number) => number | undefined {
    const { crontab, timezone } = splitTimezone(schedule ?? '');
    return (after) => nextSlot(crontab, timezone, after);
}
