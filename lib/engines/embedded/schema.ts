import type { Database } from './database.js';

/** Marks a SQLite file as ours: `PRAGMA application_id`. */
export const APPLICATION_ID = 0x70696e62;

/** Versions are `major * MAJOR + minor`: within a major one, older releases can work with the file. */
export const MAJOR = 1000;

/** The version that this release writes. */
export const VERSION = 2 * MAJOR + 6;

/** Without one of these it is no journal. */
export const TABLES = ['bot_runs', 'bot_skips', 'bot_schedules', 'bot_processes', 'bot_pauses'];

/** A run that did not fail, and has printed something. */
export const HAS_OUTPUT = "output IS NOT NULL AND state IN ('succeeded', 'aborted', 'skipped')";

const OUTPUTS = `CREATE INDEX bot_outputs ON bot_runs (job, seq) WHERE ${HAS_OUTPUT};`;

// At most one run with a key waits.
const KEYS = `ALTER TABLE bot_runs ADD COLUMN key TEXT;
    CREATE INDEX bot_keys ON bot_runs (job, key) WHERE key IS NOT NULL AND ended_at IS NULL AND attempt = 0;`;

const STREAKS = `
    -- runs of a job and tenant that failed one after another
    CREATE TABLE bot_streaks (
        job TEXT NOT NULL,
        -- as JSON; empty: nobody's
        tenant TEXT NOT NULL,
        failures INTEGER NOT NULL,
        since INTEGER NOT NULL,
        is_told INTEGER NOT NULL,
        PRIMARY KEY (job, tenant)
    ) STRICT, WITHOUT ROWID;
`;

/** The names differ from those of the first edition, beside whose tables these are made. */
const SCHEMA = `
    CREATE TABLE bot_runs (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        -- run; or slot, which lists the tenants, and then stands for them
        kind TEXT NOT NULL,
        -- delayed (until run_at), blocked (by its lane), waiting, running, or an outcome
        state TEXT NOT NULL,
        job TEXT NOT NULL,
        schedule TEXT,
        args TEXT NOT NULL,
        tenant TEXT,
        -- unix seconds; all other times are unix milliseconds
        slot INTEGER,
        -- schedule, waiter (somebody waits in its process), or later
        origin TEXT NOT NULL,
        requested_by TEXT,
        -- the span in which somebody asked for it, as W3C's traceparent
        traceparent TEXT,
        lane TEXT NOT NULL,
        -- 0: it does not keep its lane (overlap: 'allow')
        holds INTEGER NOT NULL,
        overlap TEXT NOT NULL,
        missed TEXT NOT NULL,
        catches_up INTEGER NOT NULL,
        batch INTEGER NOT NULL,
        order_at INTEGER NOT NULL,
        position INTEGER NOT NULL,
        run_at INTEGER NOT NULL,
        -- how long after its slot it is to start, in milliseconds
        spread INTEGER NOT NULL DEFAULT 0,
        -- why it is asked to end
        abort TEXT,
        -- of a slot: the last tenant that has its run
        progress TEXT,
        -- 0: it has never started
        attempt INTEGER NOT NULL,
        started_at INTEGER,
        ended_at INTEGER,
        reason TEXT,
        error TEXT,
        stack TEXT,
        output TEXT,
        -- who has recorded it, or runs it
        process TEXT NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX bot_slots ON bot_runs (lane, slot) WHERE origin = 'schedule';
    CREATE INDEX bot_unfinished ON bot_runs (job, lane) WHERE ended_at IS NULL;
    CREATE INDEX bot_waiting ON bot_runs (batch, order_at, position, seq) WHERE state = 'waiting';
    CREATE INDEX bot_delayed ON bot_runs (run_at) WHERE state = 'delayed';
    CREATE INDEX bot_aborts ON bot_runs (process) WHERE abort IS NOT NULL AND state = 'running';
    CREATE INDEX bot_history ON bot_runs (job, seq);

    CREATE TABLE bot_skips (
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
        -- 1 where there were more than were counted
        at_least INTEGER NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX bot_skips_by_lane ON bot_skips (lane, last);
    CREATE INDEX bot_skips_by_job ON bot_skips (job, last);

    CREATE TABLE bot_schedules (
        key TEXT PRIMARY KEY,
        job TEXT NOT NULL,
        -- every slot up to this second has its row, or its reason
        handled_until INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE bot_processes (
        id TEXT PRIMARY KEY,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        -- the machine's boot and the pid namespace: only within them can a pid be looked up
        place TEXT NOT NULL,
        -- the app's version
        release TEXT,
        started_at INTEGER NOT NULL,
        beat INTEGER NOT NULL,
        -- the last second up to which it has enqueued; NULL: it does not schedule
        enqueued_until INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE bot_pauses (
        job TEXT PRIMARY KEY,
        paused_at INTEGER NOT NULL,
        until INTEGER,
        reason TEXT,
        by TEXT
    ) STRICT, WITHOUT ROWID;
    ${STREAKS}
    ${OUTPUTS}
    ${KEYS}
`;

/** What each version from 2000 on lacks that the next one has. */
const ADDED = [
    'ALTER TABLE bot_runs ADD COLUMN spread INTEGER NOT NULL DEFAULT 0;',
    STREAKS,
    'ALTER TABLE bot_runs ADD COLUMN traceparent TEXT;',
    OUTPUTS,
    KEYS,
    'ALTER TABLE bot_processes ADD COLUMN release TEXT;',
];

/** Makes the tables as this release has them, within a transaction, unless another process has. */
export function createTables(database: Database): void {
    const version = database.pragma('user_version');
    if (version >= VERSION) return;
    database.exec(version >= 2 * MAJOR ? ADDED.slice(version - 2 * MAJOR).join('') : SCHEMA);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}`);
}
