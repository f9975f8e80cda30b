import type { Database } from './database.js';

/** Versions are `major * MAJOR + minor`: within a major one, what `claimRun` uses stays as it is. */
export const MAJOR = 1000;

/** Each migration, in order; the first makes version 1000. Only add to the end. */
const MIGRATIONS: readonly string[] = [
    `
    CREATE TABLE runs (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        job TEXT NOT NULL,
        lane TEXT NOT NULL,
        -- 1 for a slot's run, more where it was run again after it was lost; NULL for manual runs and void claims.
        claim INTEGER,
        schedule TEXT,
        args TEXT NOT NULL,
        tenant TEXT,
        scheduled_at INTEGER,
        started_at INTEGER NOT NULL,
        late_by INTEGER AS (max(0, started_at - scheduled_at * 1000)) VIRTUAL,
        ended_at INTEGER,
        attempt INTEGER NOT NULL,
        outcome TEXT,
        reason TEXT,
        error TEXT,
        stack TEXT,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        process TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX runs_by_claim ON runs (lane, scheduled_at, claim) WHERE claim IS NOT NULL;
    CREATE INDEX unfinished_runs ON runs (lane) WHERE outcome IS NULL;
    CREATE INDEX runs_by_job ON runs (job, started_at);

    CREATE TABLE skips (
        seq INTEGER PRIMARY KEY,
        job TEXT NOT NULL,
        lane TEXT NOT NULL,
        schedule TEXT,
        args TEXT NOT NULL,
        tenant TEXT,
        reason TEXT NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        count INTEGER NOT NULL,
        -- 1 where there were more than were counted.
        at_least INTEGER NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX skips_by_lane ON skips (lane, last);

    CREATE TABLE schedules (
        key TEXT PRIMARY KEY,
        job TEXT NOT NULL,
        settled_until INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE processes (
        id TEXT PRIMARY KEY,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        beat INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE pauses (
        job TEXT PRIMARY KEY,
        paused_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE clock_steps (
        seq INTEGER PRIMARY KEY,
        set_back_to INTEGER NOT NULL
    ) STRICT;
    `,
];

/** The version that this release writes. */
export const VERSION = MAJOR + MIGRATIONS.length - 1;

/**
 * Brings a database up to this release's schema. A kill in the middle leaves it as it was.
 *
 * @returns the version it has then: higher than `VERSION` where a newer release has made it
 * @throws what libsql throws
 */
export function migrate(database: Database): number {
    if (database.version >= VERSION) return database.version;
    return database.transaction(() => {
        // Another process may have done it while this one waited for the lock.
        const { version } = database;
        if (version >= VERSION) return version;
        for (const sql of MIGRATIONS.slice(version === 0 ? 0 : version - MAJOR + 1)) database.exec(sql);
        database.version = VERSION;
        return VERSION;
    });
}

/** Tells whether claims can be made in a database of some version. */
export function canClaim(version: number): boolean {
    return Math.floor(version / MAJOR) === Math.floor(VERSION / MAJOR);
}
