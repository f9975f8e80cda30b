CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    job TEXT NOT NULL,
    lane TEXT NOT NULL,
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
    at_least INTEGER NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL
) STRICT;
CREATE INDEX skips_by_lane ON skips (lane, last);

CREATE TABLE schedules (key TEXT PRIMARY KEY, job TEXT NOT NULL, settled_until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE processes (id TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, started_at INTEGER NOT NULL, beat INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE pauses (job TEXT PRIMARY KEY, paused_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE clock_steps (seq INTEGER PRIMARY KEY, set_back_to INTEGER NOT NULL) STRICT;

INSERT INTO runs (id, job, lane, claim, schedule, args, tenant, scheduled_at, started_at, ended_at, attempt, outcome, reason, error, stack, host, pid, process) VALUES
 ('one', 'digest', 'digest [] ', 1, '0 0 * * *', '[]', NULL, 1767225540, 1767225540001, 1767225540010, 1, 'succeeded', NULL, NULL, NULL, 'h', 1, 'p'),
 ('two', 'digest', 'digest ["a"] ', NULL, NULL, '["a"]', '7', NULL, 1767225550000, 1767225550010, 2, 'failed', NULL, 'Error: no', 'Error: no', 'h', 1, 'p'),
 ('three', 'digest', 'digest [] ', 1, '0 0 * * *', '[]', NULL, 1767225600, 1767225600000, NULL, 1, NULL, NULL, NULL, NULL, 'h', 1, 'p');
INSERT INTO skips (job, lane, schedule, args, tenant, reason, first, last, count, at_least, host, pid) VALUES
 ('digest', 'digest [] ', '0 0 * * *', '[]', NULL, 'overlap', 1767225000, 1767225400, 3, 0, 'h', 1);
INSERT INTO schedules VALUES ('["digest","0 0 * * *",null]', 'digest', 1767225600);
INSERT INTO pauses VALUES ('reports', 1767225500);
PRAGMA user_version = 1000;
