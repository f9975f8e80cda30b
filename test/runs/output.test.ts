import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createBot, openApp, openRegistry } from '../support/fixture_app.js';

await openApp();
const { register } = await openRegistry();
const { runtimeOf } = await import('../../lib/scheduler/bot.js');

const SECOND = Date.parse('2026-01-01T00:00:00Z') / 1000;

let printed: string[];
beforeEach(() => {
    printed = [];
    for (const stream of [process.stdout, process.stderr]) {
        const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
        // What the test runner tells of the tests are bytes.
        mock.method(stream, 'write', (...args: unknown[]) => {
            const [text] = args;
            return typeof text === 'string' ? printed.push(text) > 0 : write(...args);
        });
    }
});
afterEach(() => mock.restoreAll());

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
        assert.equal(found['a'], 'a begins { deep: [ 1 ] }\na ends\n');
        assert.match(found['b'] ?? '', /│ \(index\) │ x │.*\nin b\n {2}later\n$/s);
        assert.equal(found['c'], undefined);
        assert.ok(printed.some((text) => text.startsWith('a begins')));
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
        register('prints', '* * * * *', () => console.log('secret'));
        const found = await outputs({ output: false });
        assert.deepEqual(found, { prints: undefined });
    });

    test("is nobody's after the run has ended, nor is what the bot logs of it", async () => {
        let late: Promise<void> | undefined;
        register('ends', '* * * * *', () => {
            console.log('in time');
            late = delay(20).then(() => console.log('late'));
        });
        const found = await outputs({ log: 'pretty' }, async () => late);
        assert.deepEqual(found, { ends: 'in time\n' });
    });
});
