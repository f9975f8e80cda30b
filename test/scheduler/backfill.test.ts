import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createBot, openApp, openRegistry } from '../support/fixture_app.js';

await openApp();
const { register } = await openRegistry();
const { planBackfill } = await import('../../lib/scheduler/backfill.js');
const { runtimeOf } = await import('../../lib/scheduler/bot.js');
const { runInOrder } = await import('../../lib/scheduler/requests.js');

const DAY = 86_400;
const FIRST = Date.parse('2026-01-01T02:00:00Z') / 1000;

async function plan(request: object, { bot } = { bot: undefined as never }) {
    const found = bot ?? (await createBot()).bot;
    const from = FIRST - 7200;
    return planBackfill(
        {
            name: 'daily',
            from,
            to: from + 4 * DAY,
            isOnlyMissing: false,
            onlyTenant: undefined,
            args: undefined,
            ...request,
        },
        runtimeOf(found),
    );
}

const slotsOf = ({ runs }: Awaited<ReturnType<typeof plan>>) =>
    runs.map(({ scheduledAt = 0, args }) => [(scheduledAt - FIRST) / DAY, ...args]);

describe('a backfill', () => {
    test('has the slots of a stretch in order, its end left out, with the args of the schedules', async () => {
        register('daily', '0 2 * * *', () => {}, { timezone: 'UTC' });
        assert.deepEqual(slotsOf(await plan({})), [[0], [1], [2], [3]]);
        assert.deepEqual(slotsOf(await plan({ from: FIRST, to: FIRST + 2 * DAY })), [[0], [1]]);
        assert.deepEqual(slotsOf(await plan({ from: FIRST + 1, to: FIRST + 2 * DAY + 1 })), [[1], [2]]);
        assert.deepEqual(slotsOf(await plan({ from: FIRST + 1, to: FIRST + 2 })), []);
        assert.deepEqual(slotsOf(await plan({ args: ['given'], to: FIRST + 1 })), [[0, 'given']]);
    });

    test('leaves out the days that the job leaves out', async () => {
        register('daily', '0 2 * * *', () => {}, { except: ['2026-01-02/2026-01-03'] });
        assert.deepEqual(slotsOf(await plan({})), [[0], [3]]);
    });

    test('of what is missing leaves out what has succeeded, by clock or by hand, but not what failed', async () => {
        let isBroken = true;
        register('daily', '0 2 * * *', () => assert.ok(!isBroken));
        const { bot } = await createBot();
        await bot.runBackgroundJobs(FIRST);
        isBroken = false;
        await bot.runBackgroundJobs(FIRST + DAY);
        const found = await plan({ isOnlyMissing: true }, { bot: bot as never });
        assert.deepEqual(slotsOf(found), [[0], [2], [3]]);
        assert.equal(found.succeeded, 1);
        const over = await runInOrder(found.runs, found.plan, {}, runtimeOf(bot));
        assert.deepEqual(
            over.map(({ run }) => [run.outcome, run.manual]),
            Array(3).fill(['succeeded', true]),
        );
        assert.deepEqual(slotsOf(await plan({ isOnlyMissing: true }, { bot: bot as never })), []);
    });

    test('of an unknown job, or one without schedules, says so or is empty', async () => {
        register('daily', []);
        assert.deepEqual(slotsOf(await plan({})), []);
        await assert.rejects(plan({ name: 'dayly' }), /did you mean "daily"/);
    });
});
