import { laneOf } from '../../runs/run.js';
import { nextSlot } from '../../schedule/calendar.js';
import { splitTimezone } from '../../schedule/crontab.js';
import type { Owner } from '../owner.js';
import type { SkippedSlots } from '../records.js';
import type { Database, SqlValue } from './database.js';

/**
 * Records slots that did not run, unless another process has. Successive slots of a schedule with one reason share
 * a row, so that an overlap of hours does not fill the file.
 *
 * @param database within a transaction
 * @param by who found out
 */
export function recordSkips(database: Database, slots: SkippedSlots, by: Owner): void {
    const lane = laneOf(slots);
    const { reason, first, last, count } = slots;
    // A slot that is run by another process is not skipped because this one's lane was taken.
    if (first === last && isClaimed(database, lane, first)) return;
    const before = database
        .statement(
            'SELECT seq, first, last, reason FROM skips WHERE lane = ? AND schedule IS ? ORDER BY seq DESC LIMIT 1',
        )
        .get([lane, slots.schedule ?? null]);
    if (before && before['reason'] === reason) {
        const known = before['last'] as number;
        if (last <= known && first >= (before['first'] as number)) return;
        if (follows(slots, known)) {
            database
                .statement(
                    'UPDATE skips SET last = ?, count = count + ?, at_least = max(at_least, ?) WHERE seq = ?',
                )
                .run([last, count, slots.atLeast ? 1 : 0, before['seq'] as SqlValue]);
            return;
        }
    }
    database
        .statement(
            `INSERT INTO skips (job, lane, schedule, args, tenant, reason, first, last, count, at_least, host, pid)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run([
            slots.job,
            lane,
            slots.schedule ?? null,
            JSON.stringify(slots.args),
            slots.tenant === undefined ? null : JSON.stringify(slots.tenant),
            reason,
            first,
            last,
            count,
            slots.atLeast ? 1 : 0,
            by.host,
            by.pid,
        ]);
}

function isClaimed(database: Database, lane: string, slot: number): boolean {
    const sql = 'SELECT 1 FROM runs WHERE lane = ? AND scheduled_at = ? AND claim IS NOT NULL';
    return database.statement(sql).get([lane, slot]) !== undefined;
}

// Nothing lies between: a slot there may still wait for its lane.
function follows({ schedule, first }: SkippedSlots, known: number): boolean {
    if (schedule === undefined || first <= known) return false;
    const { crontab, timezone } = splitTimezone(schedule);
    return nextSlot(crontab, timezone, known) === first;
}
