import assert from 'node:assert/strict';
import { after, before, describe, mock, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createBot, openApp, within } from '../support/fixture_app.js';
import { HOSTILE_THROWS } from '../support/hostile_throws.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis_server.js';

const { root } = await openApp();
const { job, registerJobs } = await import('../support/scenario.js');
const { runAsJson } = await import('../../lib/runs/run_json.js');

/** How long all of them may take, in milliseconds. */
const DEADLINE = 120_000;

const throws = Object.entries(HOSTILE_THROWS).map(([what, make], index) => ({
    what,
    make,
    name: `job-${index}`,
}));

describe('whatever a job throws, twice', () => {
    test('is a failed run, told, logged and recorded, with the engine "embedded"', () =>
        throwAll({ journal: { filename: `${root}/bot.db` } }));

    describe('on a Redis', { skip: skipWithoutRedis }, () => {
        let redis: RedisServer;
        before(async () => {
            redis = await startRedis();
        });
        after(() => redis.stop());

        test('is a failed run, told, logged and recorded, with the engine "bullmq"', () =>
            throwAll({ engine: 'bullmq', redis: redis.url }));
    });
});

async function throwAll(config: object): Promise<void> {
    const attempts = new Map<string, number>();
    const jobs = throws.map(({ name, make }) => {
        const run = async () => {
            const attempt = (attempts.get(name) ?? 0) + 1;
            attempts.set(name, attempt);
            if (attempt <= 2) throw make();
        };
        return [name, job('* * * * * *', run, { retries: 1, retryDelay: '0s' })];
    });
    registerJobs(Object.fromEntries(jobs));
    const lines: string[] = [];
    for (const method of ['log', 'error'] as const)
        mock.method(console, method, (line: string) => void lines.push(line));
    const { bot, events, eventsOf, heard } = await createBot({ config: { log: 'pretty', ...config } });
    const failed = (name: string) =>
        eventsOf('run-ended').find(({ run }) => run.job === name && run.outcome === 'failed')?.run;
    const loop = bot.start();
    try {
        await Promise.race([loop, heard('bot-started')]);
        const all = async () => {
            while (!throws.every(({ name }) => failed(name))) await delay(100);
        };
        await within(all(), 'the failure of all', DEADLINE);
        const history = await bot.history();
        for (const { what, name } of throws) {
            const [past] = (await history.search(name, {}, 100)).filter(
                (one) => one.kind === 'run' && one.outcome === 'failed',
            );
            assert.ok(past?.kind === 'run' && past.error && past.stack, what);
            assert.equal(past.attempt, 2, what);
            const run = failed(name);
            assert.ok(run?.error);
            assert.equal(past.error, `${run.error.name}: ${run.error.message}`, what);
            assert.ok(JSON.stringify(runAsJson(run)).length < 150_000, what);
        }
        await history.close();
    } finally {
        await bot.stop();
        mock.restoreAll();
    }
    assert.ok(events.every(({ type }) => type !== 'engine-failed' && type !== 'journal-trouble'));
    assert.ok(lines.filter((line) => /failed.*job-\d+/.test(line)).length >= throws.length);
    for (const line of lines) assert.doesNotMatch(line, /[^\P{Cc}\n]/u);
}
