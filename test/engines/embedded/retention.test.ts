import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Database } from '../../../lib/engines/embedded/database.js';
import { openMemory } from '../../../lib/engines/embedded/opening.js';
import { forgetSome } from '../../../lib/engines/embedded/retention.js';
import { claimRun, recordOutcome } from '../../../lib/engines/embedded/runs.js';
import { createOwner } from '../../../lib/engines/owner.js';
import { createRun } from '../../../lib/runs/run.js';

const NOW = Date.UTC(2026, 0, 31);
const DAY = 86_400_000;

describe('a journal forgets', () => {
    test('runs older than the retention, and of each job all beyond the newest so many', () => {
        const { database } = openMemory();
        const record = (job: string, age: number, isEnded = true) =>
            database.transaction(() => {
                const run = createRun({
                    job,
                    file: undefined,
                    args: [age],
                    tenant: undefined,
                    scheduledAt: 1,
                    manual: false,
                });
                const claim = claimRun(database, run, createOwner(), { at: NOW - age, isExclusive: true });
                assert.ok(claim.answer === 'granted');
                if (isEnded) recordOutcome(database, claim.seq, { ...run, outcome: 'succeeded' });
            });
        for (let day = 40; day > 0; day--) record('daily', day * DAY);
        record('hung', 50 * DAY, false);
        for (let age = 1_200; age > 0; age--) record('busy', 3_600_000 + age);
        record('busy', 0);
        forgetAll(database, { retention: 30 * DAY, maxRunsPerJob: 100 });
        const left = database
            .statement('SELECT job, count(*) AS count FROM runs GROUP BY job ORDER BY job')
            .all([]);
        assert.deepEqual(
            left.map(({ job, count }) => [job, count]),
            [
                ['busy', 100],
                ['daily', 30],
                ['hung', 1],
            ],
        );
    });

    test('no run of the last hour, however many there are: their claims count', () => {
        const { database } = openMemory();
        for (let index = 0; index < 50; index++) {
            const run = createRun({
                job: 'busy',
                file: undefined,
                args: [],
                tenant: undefined,
                scheduledAt: index,
                manual: false,
            });
            database.transaction(() => {
                const owner = createOwner();
                const claim = claimRun(database, run, owner, { at: NOW - 60_000, isExclusive: false });
                if (claim.answer === 'granted')
                    recordOutcome(database, claim.seq, { ...run, outcome: 'succeeded' });
            });
        }
        forgetAll(database, { retention: 30 * DAY, maxRunsPerJob: 10 });
        assert.equal(database.statement('SELECT count(*) AS count FROM runs').get([])?.['count'], 50);
    });
});

function forgetAll(database: Database, settings: Parameters<typeof forgetSome>[1]): void {
    while (database.transaction(() => forgetSome(database, settings, NOW)));
}
