import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Database, MEMORY } from '../../../lib/engines/embedded/database.js';
import { statusOf } from '../../../lib/engines/embedded/history.js';
import { createTables } from '../../../lib/engines/embedded/schema.js';
import { createOwner } from '../../../lib/engines/owner.js';

/** No process has it. */
const NO_PID = 2 ** 22 + 1;

describe('a run whose process is gone', () => {
    for (const [what, state, origin, expected] of [
        ['is lost', 'running', 'schedule', ['lost']],
        ['is lost with whoever waited for it', 'delayed', 'waiter', ['lost']],
        ['is not lost while it waits for its next attempt', 'delayed', 'schedule', []],
    ] as const)
        test(what, () => {
            const database = new Database(MEMORY);
            const { place } = createOwner();
            database.transaction(createTables);
            database.exec(`
                INSERT INTO bot_processes (id, host, pid, place, started_at, beat) VALUES ('a', '', ${NO_PID}, '${place}', 0, 1);
                INSERT INTO bot_runs (id, kind, state, job, args, slot, origin, lane, holds, overlap, missed, catches_up, batch,
                    order_at, position, run_at, attempt, started_at, process, host, pid)
                VALUES ('r', 'run', '${state}', 'a', '[]', 1, '${origin}', 'a', 1, 'skip', 'once', 0, 0, 0, 0, 0, 1, 1000, 'a', '', ${NO_PID});
            `);
            const { ended = [], byHand = [] } = statusOf(database, 'a') ?? {};
            assert.deepEqual(
                [...ended, ...byHand].map(({ outcome }) => outcome),
                expected,
            );
        });
});
