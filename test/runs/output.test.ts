import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createBot, openApp, openRegistry } from '../support/fixture_app.js';

await openApp();
const { register } = await openRegistry();
const { runtimeOf } = await import('../../lib/scheduler/bot.js');

const SECOND = Date.parse('2026-01-01T00:00:00Z') / 1000;

/** Runs what is due, and answers what each job has printed, by name. */
async function outputs(
    config: object = {},
    until = async () => {},
): Promise<Record<string, string | undefined>> {
    const { bot } = await createBot({ config: { concurrency: 4, ...config } });
    const runs = await bot.runBackgroundJobs(SECOND);
    await until();
    const history = await runtimeOf(bot).engine.history(runtimeOf(bot));
    const found = runs.map(async ({ job, id }) => [job, (await history.run(job, id))?.output] as const);
    return Object.fromEntries(await Promise.all(found));
}

describe('what a job prints', () => {
    test("is its own run's, whichever way it goes to the console, also beside others and from a timer", async () => {
        const printed = mock.method(process.stdout, 'write', () => true);
        mock.method(process.stderr, 'write', () => true);
        register('a', '* * * * *', async () => {
            console.log('a %s', 'begins', { deep: [1] });
            await delay(5);
            console.error('a ends');
        });
        register('b', '* * * * *', async () => {
            console.table([{ x: 1 }]);
            console.group('in b');
            await new Promise<void>((resolve) => setTimeout(() => resolve(console.warn('later')), 2));
            console.groupEnd();
        });
        register('c', '* * * * *');
        const found = await outputs();
        mock.restoreAll();
        assert.equal(found['a'], 'a begins { deep: [ 1 ] }\na ends\n');
        assert.match(found['b'] ?? '', /│ \(index\) │ x │.*\nin b\n {2}later\n$/s);
        assert.equal(found['c'], undefined);
        assert.ok(printed.mock.calls.some(({ arguments: [text] }) => String(text).startsWith('a begins')));
    });

    test('is lost, and nothing else, where it replaces the console', async () => {
        const { log } = console;
        const texts: unknown[] = [];
        register('own', '* * * * *', () => {
            console.log = (text) => texts.push(text);
            console.log('mine');
            console.log = log;
        });
        assert.deepEqual(await outputs(), { own: undefined });
        assert.deepEqual(texts, ['mine']);
    });

    test('is not kept where the config says so', async () => {
        mock.method(process.stdout, 'write', () => true);
        register('prints', '* * * * *', () => console.log('secret'));
        const found = await outputs({ output: false });
        mock.restoreAll();
        assert.deepEqual(found, { prints: undefined });
    });

    test("is nobody's after the run has ended, nor is what the bot logs of it", async () => {
        mock.method(process.stdout, 'write', () => true);
        mock.method(process.stderr, 'write', () => true);
        let late: Promise<void> | undefined;
        register('ends', '* * * * *', () => {
            console.log('in time');
            late = delay(20).then(() => console.log('late'));
        });
        const found = await outputs({ log: 'pretty' }, async () => late);
        mock.restoreAll();
        assert.deepEqual(found, { ends: 'in time\n' });
    });
});
