import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSettings } from '../../lib/jobs/settings.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { planBackfill } from '../../lib/scheduler/backfill.js';
import type { Runtime } from '../../lib/scheduler/runtime.js';
import { planOf } from '../support/job_overviews.js';

const DAY = 86_400;
const FIRST = Date.parse('2026-01-01T02:00:00Z') / 1000;

/** The days from the first one on, with args, of a job that is due at two o'clock on each of four. */
async function daysOf(request: object, except?: string[]) {
    const { settings } = readSettings({ multiTenant: false, except });
    const plan = planOf('daily', [], {
        settings,
        schedules: [createSchedule('daily', ['0 2 * * *'], 'UTC', settings.except)],
    });
    const runtime = { ready: async () => ({ plans: [plan] }) } as unknown as Runtime;
    const stretch = { from: FIRST - 7200, to: FIRST - 7200 + 4 * DAY };
    const backfill = await planBackfill(
        { name: 'daily', ...stretch, isOnlyMissing: false, ...request },
        runtime,
    );
    return backfill.runs.map(({ scheduledAt = 0, args }) => [(scheduledAt - FIRST) / DAY, ...args]);
}

// What is left out because it has succeeded stands in the conformance suite.
describe('a backfill', () => {
    test('has the slots of a stretch in order, its end left out, but not the days that the job leaves out', async () => {
        assert.deepEqual(await daysOf({}), [[0], [1], [2], [3]]);
        assert.deepEqual(await daysOf({ from: FIRST, to: FIRST + 2 * DAY }), [[0], [1]]);
        assert.deepEqual(await daysOf({ from: FIRST + 1, to: FIRST + 2 * DAY + 1 }), [[1], [2]]);
        assert.deepEqual(await daysOf({ from: FIRST + 1, to: FIRST + 2 }), []);
        assert.deepEqual(await daysOf({ args: ['given'], to: FIRST + 1 }), [[0, 'given']]);
        assert.deepEqual(await daysOf({}, ['2026-01-02/2026-01-03']), [[0], [3]]);
    });

    test('of an unknown job says so', async () => {
        await assert.rejects(daysOf({ name: 'dayly' }), /did you mean "daily"/);
    });
});
