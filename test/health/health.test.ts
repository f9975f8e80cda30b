import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createBot, openApp, openRegistry } from '../support/fixture_app.js';

await openApp();
const { register } = await openRegistry();
const { faultsNow } = await import('../../lib/health/health.js');
const { Bot } = await import('../../lib/scheduler/bot.js');
const { ManualClock } = await import('../../lib/time/manual_clock.js');
const { Workspace } = await import('../../lib/framework.js');

const NOW = Date.parse('2026-01-01T00:00:00Z');

await Workspace.run(async () => {});

describe('health', () => {
    test('an hour of a busy bot gives no false alarm', async () => {
        const clock = new ManualClock(NOW);
        const last = (seconds: number) => () =>
            new Promise<void>((resolve) => void clock.after(seconds * 1000, resolve));
        let failures = 0;
        register('each-second', '* * * * * *');
        register('overlaps', '*/5 * * * * *', last(7));
        register('queues', '*/5 * * * * *', last(6), { overlap: 'queue' });
        register('replaced', '*/10 * * * * *', last(3), { overlap: 'replace' });
        register('side-by-side', '*/20 * * * * *', last(50), { overlap: 'allow' });
        register('spread', '*/10 * * * *', () => {}, { spread: '5m' });
        register('long', '0 * * * *', last(1_500));
        register('retried', '* * * * *', () => assert.ok(failures++ % 3 === 2), {
            retries: 3,
            retryDelay: '20s',
        });
        register('not-today', '* * * * * *', () => {}, { except: ['2026-01-01'] });
        register('elsewhere', '* * * * * *', () => {}, { environments: ['staging'] });
        register('paused', '* * * * * *');
        register('later', []);
        const { bot, eventsOf } = await createBot({ clock, config: { concurrency: 3, turn: '2s' } });
        void bot.start();
        await clock.advance(0);
        await bot.pauseBackgroundJob('paused');
        for (let minute = 0; minute < 60; minute++) {
            await bot.enqueue('later', { in: '7m' });
            await clock.advance(60_000);
            assert.deepEqual(await faultsNow(bot), [], `minute ${minute}`);
        }
        assert.ok(eventsOf('run-ended').length > 3_600);
        assert.deepEqual(eventsOf('slot-overdue'), []);
        await clock.advance(0);
        const stopped = bot.stop();
        await clock.advance(60_000);
        await stopped;
    });

    test('a config that cannot be used is a fault, and so is a bot that could not start', async () => {
        const bot = new Bot({ config: async () => ({ log: 'silent', concurency: 2 }) as object });
        const [fault, ...others] = await faultsNow(bot);
        assert.deepEqual([fault?.kind, others], ['bad config', []]);
        assert.match(fault?.message ?? '', /did you mean "concurrency"/);
        const journal = { filename: '/nowhere/at/all/bot.db', required: true };
        const { bot: required } = await createBot({ config: { journal } });
        await assert.rejects(required.start());
        const [first] = await faultsNow(required);
        assert.equal(first?.kind, 'bot not started');
        assert.match(first?.message ?? '', /could not start: .*\/nowhere\/at\/all\/bot\.db/);
    });
});
