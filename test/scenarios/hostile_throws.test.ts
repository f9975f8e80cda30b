import assert from 'node:assert/strict';
import { after, before, describe, mock, test } from 'node:test';
import { createBot, openApp, within } from '../support/fixture_app.js';
import { HOSTILE_THROWS } from '../support/hostile_throws.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis_server.js';

const { root } = await openApp();
const { registerJobs } = await import('../support/scenario.js');
const { runAsJson } = await import('../../lib/views/as_json.js');

/** How long all of them may take, in milliseconds. */
const DEADLINE = 120_000;

const throws = Object.entries(HOSTILE_THROWS).map(([what, make], index) => ({
    what,
    make,
    job: `job-${index}`,
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
    registerJobs(
        Object.fromEntries(
            throws.map(({ job, make }) => [
                job,
                {
                    meta() {
                        this.schedule('* * * * * *');
                    },
                    retries: 1,
                    retryDelay: '0s',
                    async run() {
                        const attempt = (attempts.get(job) ?? 0) + 1;
                        attempts.set(job, attempt);
                        if (attempt <= 2) throw make();
                    },
                },
            ]),
        ),
    );
    const lines: string[] = [];
    for (const method of ['log', 'error'] as const)
        mock.method(console, method, (line: string) => void lines.push(line));
    const { bot, events, eventsOf, heard } = await createBot({ config: { log: 'pretty', ...config } });
    const failed = (job: string) =>
        eventsOf('run-ended').find(({ run }) => run.job === job && run.outcome === 'failed')?.run;
    const loop = bot.start();
    try {
        await Promise.race([loop, heard('bot-started')]);
        const all = new Promise<void>((resolve) => {
            const look = setInterval(() => {
                if (!throws.every(({ job }) => failed(job))) return;
                clearInterval(look);
                resolve();
            }, 100);
        });
        await within(all, 'the failure of all', DEADLINE);
        const history = await bot.history();
        for (const { what, job } of throws) {
            const [past] = (await history.of(job, 100)).filter(
                (one) => one.kind === 'run' && one.outcome === 'failed',
            );
            assert.ok(past?.kind === 'run' && past.error && past.stack, what);
            assert.equal(past.attempt, 2, what);
            const run = failed(job);
            assert.ok(run?.error);
            assert.equal(past.error, `${run.error.name}: ${run.error.message}`, what);
            assert.ok(JSON.stringify(runAsJson(run)).length < 150_000, what);
        }
        await history.close();
    } finally {
        const stopped = bot.stop();
        await stopped;
        mock.restoreAll();
    }
    assert.ok(events.every(({ type }) => type !== 'engine-failed' && type !== 'journal-trouble'));
    assert.ok(lines.filter((line) => /failed.*job-\d+/.test(line)).length >= throws.length);
    for (const line of lines) assert.doesNotMatch(line, /[^\P{Cc}\n]/u);
}
