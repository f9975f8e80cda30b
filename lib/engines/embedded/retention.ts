import type { JournalSettings } from '../../config/config.js';
import { MOST_OUTPUT, type Output } from '../../runs/output.js';
import type { Database } from './database.js';
import type { Step, StoredRow } from './rows.js';
import { HAS_OUTPUT } from './schema.js';

/** Runs that ended less than this ago stay, however many there are: their slots may come again. In milliseconds. */
const SAFE_AGE = 3_600_000;

/** As many rows go in one transaction: a few milliseconds. */
const CHUNK = 500;

/** Forgets some of what is too old or too much; answers whether there may be more of it. */
export function forgetSome({ database, now }: Step, { retention, maxRunsPerJob }: JournalSettings): boolean {
    const oldest = now - retention;
    const old = database
        .statement(
            `DELETE FROM bot_runs WHERE seq IN (SELECT seq FROM
                (SELECT seq, started_at, ended_at FROM bot_runs ORDER BY seq LIMIT ${CHUNK})
                WHERE ended_at < ?)`,
        )
        .run([oldest]).changes;
    const skips = database
        .statement(
            `DELETE FROM bot_skips WHERE seq IN (SELECT seq FROM bot_skips WHERE last < ? ORDER BY seq LIMIT ${CHUNK})`,
        )
        .run([Math.floor(oldest / 1000)]).changes;
    database
        .statement(
            'DELETE FROM bot_streaks WHERE NOT EXISTS (SELECT 1 FROM bot_runs WHERE bot_runs.job = bot_streaks.job)',
        )
        .run([]);
    if (old === CHUNK || skips === CHUNK) return true;
    return tooMany(database, maxRunsPerJob).some(
        ([job, newest]) =>
            database
                .statement(
                    `DELETE FROM bot_runs WHERE seq IN (SELECT seq FROM bot_runs
                        WHERE job = ? AND seq <= ? AND ended_at < ? ORDER BY seq LIMIT ${CHUNK})`,
                )
                .run([job, newest, now - SAFE_AGE]).changes === CHUNK,
    );
}

// The newest row that is too much, for each job that has too many.
function tooMany(database: Database, most: number): [string, number][] {
    // From one name to the next in the index: counting all runs would take a tenth of a second for a million.
    const jobs = database
        .statement(
            `WITH RECURSIVE names(job) AS (SELECT min(job) FROM bot_runs
                UNION ALL SELECT (SELECT min(bot_runs.job) FROM bot_runs WHERE bot_runs.job > names.job) FROM names
                    WHERE names.job IS NOT NULL)
            SELECT job FROM names WHERE job IS NOT NULL`,
        )
        .all([]);
    const newest = database.statement(
        'SELECT seq FROM bot_runs WHERE job = ? ORDER BY seq DESC LIMIT 1 OFFSET ?',
    );
    return jobs.flatMap(({ job }) => {
        const found = newest.get([job as string, most]);
        return found ? [[job as string, found['seq'] as number]] : [];
    });
}

/** Adds to a row what its run has printed since. */
export function keepOutput({ database }: Step, { seq }: Pick<StoredRow, 'seq'>, output: Output): void {
    const text = output.take();
    if (text === '') return;
    database
        .statement(
            `UPDATE bot_runs SET output = substr(coalesce(output, '') || ?, -${MOST_OUTPUT + 1}) WHERE seq = ?`,
        )
        .run([text, seq]);
}

/** Forgets what a job's run has printed that has become one too many; those that failed are not counted. */
export function limitOutputs({ database }: Step, job: string, most: number): void {
    database
        .statement(
            `UPDATE bot_runs SET output = NULL WHERE seq = (SELECT seq FROM bot_runs INDEXED BY bot_outputs
                WHERE job = ? AND ${HAS_OUTPUT} ORDER BY seq DESC LIMIT 1 OFFSET ?)`,
        )
        .run([job, most]);
}
