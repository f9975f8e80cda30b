import type { DueSchedule, LastEnqueued, WaitingSlots } from '../../runs/engine.js';
import { type Pause, pauseOf } from '../../runs/pause.js';
import type { Schedule } from '../../schedule/schedule.js';
import { entryOf, laneKey } from '../row.js';
import type { Database } from './database.js';
import { enter, free } from './lanes.js';
import { GONE } from './processes.js';
import { giveUpWaiting } from './queue.js';
import { type NewRow, type Step, unfinished } from './rows.js';
import { recordSkips } from './skips.js';

/** Records what a schedule comes to, unless it is handled up to another second by now: that is answered. */
export function enqueueSchedule(step: Step, due: DueSchedule, pauses: readonly Pause[]): number | undefined {
    const { database, now, consequences } = step;
    const { schedule, from, until } = due;
    const moved = database
        .statement('UPDATE bot_schedules SET handled_until = ? WHERE key = ? AND handled_until = ?')
        .run([until, schedule.key, from]);
    if (moved.changes === 0) {
        const known = handledUntil(database, [schedule], until).get(schedule.key) ?? until;
        return known === from ? enqueueSchedule(step, due, pauses) : known;
    }
    if (due.decidesAnew) decideAnew(step, due);
    for (const slots of due.skipped) record(step, due, slots);
    for (const slot of due.run) {
        const row = rowOf(due, slot);
        const isPaused = pauseOf(pauses, schedule.job, slot * 1000) !== undefined;
        const reason = due.leftOut ?? (isPaused ? 'paused' : undefined);
        if (reason !== undefined) {
            record(step, due, { reason, first: slot, last: slot, count: 1, atLeast: false });
            const run = Object.assign(row.run, { outcome: 'skipped' as const, reason, endedAt: now });
            consequences.push({ kind: 'ended', run });
        } else enter(step, row);
    }
    return undefined;
}

function rowOf(due: DueSchedule, slot: number): NewRow {
    const { plan, position, until, catchesUp } = due;
    const { overlap, missed } = plan.settings;
    const { kind, run, runAt } = entryOf(due, slot);
    const lane = laneKey(kind, run);
    // What one second made due takes turns; what catches up does so on its own.
    const batch = until * 2 + (catchesUp ? 1 : 0);
    return { kind, run, runAt, lane, origin: 'schedule', overlap, missed, catchesUp, batch, position };
}

function record(step: Step, due: DueSchedule, slots: DueSchedule['skipped'][number]): void {
    const { job, text: schedule, args } = due.schedule;
    const { lane } = rowOf(due, slots.first);
    recordSkips(step, { ...slots, job, lane, schedule, args, tenant: undefined });
}

// After a gap: what waits since before it goes by the same decision, as if it had not been enqueued.
function decideAnew(step: Step, { schedule: { job, text }, skipped }: DueSchedule): void {
    for (const { reason, first, last } of skipped)
        giveUpWaiting(step, job, 'schedule = ? AND slot BETWEEN ? AND ?', [text, first, last], reason);
    step.database
        .statement(
            `UPDATE bot_runs INDEXED BY bot_unfinished SET catches_up = 1, holds = 1,
                state = CASE state WHEN 'waiting' THEN 'blocked' ELSE state END
            WHERE job = ? AND schedule = ? AND ended_at IS NULL AND attempt = 0 AND state <> 'running'
            AND origin = 'schedule'`,
        )
        .run([job, text]);
    // They go one after another now, also those that might overlap.
    const blocked = unfinished(step, "job = ? AND schedule = ? AND state = 'blocked'", [job, text]);
    for (const row of new Map(blocked.map((row) => [row.lane, row])).values()) free(step, row);
}

/** Tells up to which second each schedule is handled. One that was never seen before is handled until now. */
export function handledUntil(
    database: Database,
    schedules: readonly Pick<Schedule, 'key' | 'job'>[],
    now: number,
): Map<string, number> {
    const see = database.statement('INSERT INTO bot_schedules (key, job, handled_until) VALUES (?, ?, ?)');
    const look = database.statement('SELECT handled_until FROM bot_schedules WHERE key = ?');
    return new Map(
        schedules.map(({ key, job }) => {
            const row = look.get([key]);
            if (!row) see.run([key, job, now]);
            return [key, (row?.['handled_until'] as number | undefined) ?? now];
        }),
    );
}

/** The slots that wait and never started, oldest first. */
export function waitingSlots(database: Database): WaitingSlots {
    const rows = database
        .statement(
            `SELECT DISTINCT job, schedule, args, slot FROM bot_runs INDEXED BY bot_unfinished
            WHERE ended_at IS NULL AND attempt = 0 AND origin = 'schedule' AND state <> 'delayed' ORDER BY slot`,
        )
        .all([]);
    const slots = new Map<string, number[]>();
    for (const row of rows) {
        const key = `${row['job']}\n${row['schedule']}\n${row['args']}`;
        const known = slots.get(key);
        if (known) known.push(row['slot'] as number);
        else slots.set(key, [row['slot'] as number]);
    }
    return { of: ({ job, text, args }) => slots.get(`${job}\n${text}\n${JSON.stringify(args)}`) ?? [] };
}

/** The last second up to which any process has enqueued. */
export function lastEnqueued({ database, by }: Pick<Step, 'database' | 'by'>): LastEnqueued {
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
 * @param seen the last second in which any process had enqueued, by what the gap was judged
 * @param second up to which second this process enqueues now
 */
export function endGap(step: Step, seen: number, second: number): boolean {
    if (lastEnqueued(step).second > seen) return false;
    const { database, by } = step;
    database.statement('UPDATE bot_processes SET enqueued_until = ? WHERE id = ?').run([second, by.id]);
    return true;
}

/** The clock was set back: what is later lies ahead again. A slot that has a row, or a reason, does not come again. */
export function rewind(database: Database, second: number): void {
    database.statement('UPDATE bot_schedules SET handled_until = ?1 WHERE handled_until > ?1').run([second]);
    database
        .statement('UPDATE bot_processes SET enqueued_until = ?1 WHERE enqueued_until > ?1')
        .run([second]);
}
