import type { DueSchedule, LastEnqueued, WaitingSlots } from '../../runs/engine.js';
import { createRun } from '../../runs/run.js';
import { mayHaveTenants } from '../../runs/tenants.js';
import type { Schedule } from '../../schedule/schedule.js';
import type { Owner } from '../owner.js';
import type { Database, Row } from './database.js';
import { type Consequence, enter } from './lanes.js';
import { GONE } from './processes.js';
import { giveUpWaiting } from './queue.js';
import { type Kind, laneKey, type NewRow } from './rows.js';
import { recordSkips } from './skips.js';

/** What is known where a schedule is enqueued. */
export interface EnqueueRules {
    readonly by: Owner;
    /** Unix milliseconds. */
    readonly now: number;
    readonly isPaused: boolean;
    /** What did not come to run is added here. */
    readonly consequences: Consequence[];
}

/**
 * Records what a schedule comes to, if it is still handled up to where that was decided from.
 *
 * @param database within a transaction
 * @returns undefined: it is recorded; else up to which second the schedule is handled already
 */
export function enqueueSchedule(
    database: Database,
    due: DueSchedule,
    { by, now, isPaused, consequences }: EnqueueRules,
): number | undefined {
    const { schedule, from, until } = due;
    const moved = database
        .statement('UPDATE bot_schedules SET handled_until = ? WHERE key = ? AND handled_until = ?')
        .run([until, schedule.key, from]);
    if (moved.changes === 0) {
        const known = handledUntil(database, [schedule], until).get(schedule.key) ?? until;
        if (known !== from) return known;
        return enqueueSchedule(database, due, { by, now, isPaused, consequences });
    }
    const kind = kindOf(due);
    if (due.decidesAnew) consequences.push(...decideAnew(database, due, by, now));
    for (const slots of due.skipped) record(database, due, slots, by);
    const reason = due.leftOut ?? (isPaused ? 'paused' : undefined);
    if (reason !== undefined) {
        for (const slot of due.run) {
            record(database, due, { reason, first: slot, last: slot, count: 1, atLeast: false }, by);
            const { run } = rowOf(due, kind, slot);
            consequences.push({
                kind: 'ended',
                run: Object.assign(run, { outcome: 'skipped', reason, endedAt: now }),
            });
        }
        return undefined;
    }
    for (const slot of due.run) {
        if (due.decidesAnew && waits(database, kind, schedule, slot)) continue;
        consequences.push(...enter(database, rowOf(due, kind, slot), by, now));
    }
    return undefined;
}

function kindOf({ plan }: DueSchedule): Kind {
    return mayHaveTenants(plan.settings) ? 'slot' : 'run';
}

function rowOf(
    { schedule, plan, position, until, catchesUp }: DueSchedule,
    kind: Kind,
    slot: number,
): NewRow {
    const run = createRun({
        job: plan.name,
        file: plan.file,
        schedule: schedule.text,
        args: schedule.args,
        tenant: undefined,
        scheduledAt: slot,
        manual: false,
    });
    const { overlap, missed } = plan.settings;
    return {
        kind,
        run,
        lane: laneKey(kind, run),
        origin: 'schedule',
        overlap,
        missed,
        catchesUp,
        // What one second made due takes turns; what catches up does so on its own.
        batch: until * 2 + (catchesUp ? 1 : 0),
        position,
        runAt: slot * 1000,
    };
}

function record(
    database: Database,
    due: DueSchedule,
    slots: DueSchedule['skipped'][number],
    by: Owner,
): void {
    const { job, text, args } = due.schedule;
    const lane = laneKey(kindOf(due), { job, args, tenant: undefined });
    recordSkips(database, { ...slots, job, lane, schedule: text, args, tenant: undefined }, by);
}

// After a gap: what waits since before it goes by the same decision, as if it had not been enqueued.
function decideAnew(database: Database, due: DueSchedule, by: Owner, now: number): Consequence[] {
    const { job, text } = due.schedule;
    const consequences = due.skipped.flatMap(({ reason, first, last }) =>
        giveUpWaiting(
            database,
            job,
            'schedule = ? AND slot BETWEEN ? AND ?',
            [text, first, last],
            reason,
            by,
            now,
        ),
    );
    database
        .statement(
            `UPDATE bot_runs INDEXED BY bot_unfinished SET catches_up = 1, holds = 1 WHERE job = ? AND schedule = ?
            AND ended_at IS NULL AND attempt = 0 AND origin = 'schedule'`,
        )
        .run([job, text]);
    return consequences;
}

function waits(database: Database, kind: Kind, { job, args }: Schedule, slot: number): boolean {
    const lane = laneKey(kind, { job, args, tenant: undefined });
    const sql =
        "SELECT 1 FROM bot_runs INDEXED BY bot_slots WHERE lane = ? AND slot = ? AND origin = 'schedule'";
    return database.statement(sql).get([lane, slot]) !== undefined;
}

/**
 * Tells up to which second each schedule is handled. One that was never seen before is handled until now.
 *
 * @param database within a transaction
 * @param now unix second
 */
export function handledUntil(
    database: Database,
    schedules: readonly Pick<Schedule, 'key' | 'job'>[],
    now: number,
): Map<string, number> {
    const see = database.statement('INSERT INTO bot_schedules (key, job, handled_until) VALUES (?, ?, ?)');
    const look = database.statement('SELECT handled_until FROM bot_schedules WHERE key = ?');
    const found = new Map<string, number>();
    for (const { key, job } of schedules) {
        const row: Row | undefined = look.get([key]);
        if (!row) see.run([key, job, now]);
        found.set(key, (row?.['handled_until'] as number | undefined) ?? now);
    }
    return found;
}

/** The slots that wait and never started, oldest first. */
export function waitingSlots(database: Database): WaitingSlots {
    const rows = database
        .statement(
            `SELECT DISTINCT job, schedule, slot FROM bot_runs INDEXED BY bot_unfinished
            WHERE ended_at IS NULL AND attempt = 0 AND origin = 'schedule' AND state <> 'delayed' ORDER BY slot`,
        )
        .all([]);
    const slots = new Map<string, number[]>();
    for (const row of rows) {
        const key = `${row['job']}\n${row['schedule']}`;
        slots.set(key, [...(slots.get(key) ?? []), row['slot'] as number]);
    }
    return { of: ({ job, text }) => slots.get(`${job}\n${text}`) ?? [] };
}

/** The last second up to which any process has enqueued. */
export function lastEnqueued(database: Database, by: Owner): LastEnqueued {
    const row = database
        .statement(
            `SELECT max(enqueued_until) AS last, max(id NOT IN (?, '${GONE}')) AS others FROM bot_processes
            WHERE enqueued_until IS NOT NULL`,
        )
        .get([by.id]);
    const second = (row?.['last'] as number | null) ?? Number.NEGATIVE_INFINITY;
    return { second, byOthers: row?.['others'] === 1 };
}

/**
 * Ends a gap, unless another process has done so.
 *
 * @param database within a transaction
 * @param seen the last second in which any process had enqueued, by what the gap was judged
 * @param second up to which second this process enqueues now
 */
export function endGap(database: Database, by: Owner, seen: number, second: number): boolean {
    if (lastEnqueued(database, by).second > seen) return false;
    database.statement('UPDATE bot_processes SET enqueued_until = ? WHERE id = ?').run([second, by.id]);
    return true;
}

/**
 * Takes back up to where schedules are handled, because the clock was set back. A slot that has a row, or a reason, does
 * not come again.
 *
 * @param database within a transaction
 * @param second unix second: what is later lies ahead again
 */
export function rewind(database: Database, second: number): void {
    for (const [table, column] of [
        ['bot_schedules', 'handled_until'],
        ['bot_processes', 'enqueued_until'],
    ])
        database.statement(`UPDATE ${table} SET ${column} = ?1 WHERE ${column} > ?1`).run([second]);
}
