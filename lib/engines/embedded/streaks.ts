import type { Run } from '../../runs/run.js';
import { effectOf, type Streak } from '../streak.js';
import type { Row } from './database.js';
import type { Step } from './rows.js';

const GROW = `INSERT INTO bot_streaks (job, tenant, failures, since, is_told) VALUES (?1, ?2, 1, ?3, 0)
    ON CONFLICT DO UPDATE SET failures = failures + 1 RETURNING failures, since, is_told`;

const OF = 'FROM bot_streaks WHERE job = ? AND tenant = ?';

/** Counts a run that failed, or ends the count; answers what is to be told: once, until a run succeeds. */
export function countEnd(step: Step, { job, tenant }: Run, outcome: string | undefined): Streak | undefined {
    const { database, now, failingAfter } = step;
    const effect = effectOf(outcome);
    const key = [job, tenant === undefined ? '' : JSON.stringify(tenant)];
    if (effect === 'grows') {
        const streak = database.statement(GROW).all([...key, Math.floor(now)])[0] as Row & Streak;
        if (streak['is_told'] === 1 || streak.failures < failingAfter(job)) return undefined;
        database.statement('UPDATE bot_streaks SET is_told = 1 WHERE job = ? AND tenant = ?').run(key);
        return streak;
    }
    const streak =
        effect && (database.statement(`SELECT failures, since, is_told ${OF}`).get(key) as Row & Streak);
    if (!streak) return undefined;
    database.statement(`DELETE ${OF}`).run(key);
    return streak['is_told'] === 1 ? streak : undefined;
}
