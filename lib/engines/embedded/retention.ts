import type { JournalSettings } from '../../config/journal_settings.js';
import type { Database } from './database.js';

/** Runs that ended less than this ago stay, however many there are: their claims may still be asked for. In milliseconds. */
const SAFE_AGE = 3_600_000;

/** As many rows go in one transaction: a few milliseconds. */
const CHUNK = 500;

/**
 * Forgets some of what is too old or too much.
 *
 * @param database within a transaction
 * @param now the time in unix milliseconds
 * @returns whether there may be more to forget
 */
export function forgetSome(
    database: Database,
    { retention, maxRunsPerJob }: Pick<JournalSettings, 'retention' | 'maxRunsPerJob'>,
    now: number,
): boolean {
    const oldest = now - retention;
    const old = database
        .statement(
            `DELETE FROM runs WHERE seq IN (SELECT seq FROM
                (SELECT seq, started_at, outcome FROM runs ORDER BY seq LIMIT ${CHUNK})
                WHERE started_at < ? AND outcome IS NOT NULL)`,
        )
        .run([oldest]).changes;
    const skips = database
        .statement(
            `DELETE FROM skips WHERE seq IN (SELECT seq FROM skips WHERE last < ? ORDER BY seq LIMIT ${CHUNK})`,
        )
        .run([Math.floor(oldest / 1000)]).changes;
    if (old === CHUNK || skips === CHUNK) return true;
    return tooMany(database, maxRunsPerJob, now).some(
        ([job, newest]) =>
            database
                .statement(
                    `DELETE FROM runs WHERE seq IN (SELECT seq FROM runs
                        WHERE job = ? AND started_at <= ? AND outcome IS NOT NULL ORDER BY started_at LIMIT ${CHUNK})`,
                )
                .run([job, newest]).changes === CHUNK,
    );
}

// The newest start that is too much, for each job that has too many.
function tooMany(database: Database, most: number, now: number): [string, number][] {
    // From one name to the next in the index: counting all runs would take a tenth of a second for a million.
    const jobs = database
        .statement(
            `WITH RECURSIVE names(job) AS (SELECT min(job) FROM runs
                UNION ALL SELECT (SELECT min(runs.job) FROM runs WHERE runs.job > names.job) FROM names
                    WHERE names.job IS NOT NULL)
            SELECT job FROM names WHERE job IS NOT NULL`,
        )
        .all([]);
    return jobs.flatMap((row) => {
        const job = row['job'] as string;
        const found = database
            .statement('SELECT started_at FROM runs WHERE job = ? ORDER BY started_at DESC LIMIT 1 OFFSET ?')
            .get([job, most]);
        if (!found) return [];
        return [[job, Math.min(found['started_at'] as number, now - SAFE_AGE)]];
    });
}
