import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bot } from '../../lib/scheduler/bot.js';
import { job, registerJobs, startScenario } from '../support/scenario.js';

const MOST_GROWTH = 5_000_000;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heapInUse(): number {
    collectGarbage();
    return process.memoryUsage().heapUsed;
}

test('manual runs with other args each time leave nothing behind', async () => {
    registerJobs({ empty: job([]) });
    const bot = new Bot({ config: async () => ({ log: 'silent' }) });
    const runMany = async (from: number, to: number) => {
        for (let index = from; index < to; index++) await bot.runBackgroundJob('empty', [`args ${index}`]);
    };
    await runMany(0, 5_000);
    const before = heapInUse();
    await runMany(5_000, 35_000);
    const growth = heapInUse() - before;
    assert.ok(growth < MOST_GROWTH / 5, `the heap grew by ${growth} bytes`);
});

test('100,000 empty runs on the real framework do not grow the heap by more than 5 MB after the first 10,000', async () => {
    registerJobs({ empty: job('* * * * * *') });
    let ended = 0;
    const bot = new Bot({
        config: async () => ({ log: 'silent', timezone: 'UTC' }),
        listen: ({ type }) => {
            if (type === 'run-ended') ended += 1;
        },
    });
    let second = 1_800_000_000;
    const runMany = async (count: number) => {
        for (let index = 0; index < count; index++) await bot.runBackgroundJobs(second++);
    };

    await runMany(10_000);
    const before = heapInUse();
    await runMany(90_000);
    assert.equal(ended, 100_000);
    const growth = heapInUse() - before;
    assert.ok(growth < MOST_GROWTH, `the heap grew by ${growth} bytes`);
});

test('a history in memory keeps no more runs than the journal is told to keep', async () => {
    const scenario = await startScenario('2027-01-01T00:00:00Z', { empty: job('*/10 * * * * *') });
    const { bot, clock } = scenario;
    for (let hour = 0; hour < 36; hour++) await clock.advance(3_600_000);
    const history = await bot.history();
    const { length } = await history.search('empty', {}, 100_000);
    const ran = scenario.runs.length;
    assert.ok(ran > 12_900 && length >= 10_000 && length < 10_500, `${length} of ${ran} runs`);
});
