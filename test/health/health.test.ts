import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createBot, openApp } from '../support/fixture_app.js';

await openApp();
const { job, startScenario } = await import('../support/scenario.js');
const { faultsNow } = await import('../../lib/health/health.js');
const { Bot } = await import('../../lib/scheduler/bot.js');
const { ManualClock } = await import('../../lib/time/manual_clock.js');

describe('health', () => {
    test('an hour of a busy bot gives no false alarm', async () => {
        const clock = new ManualClock('2026-01-01T00:00:00Z');
        const last = (seconds: number) => () =>
            new Promise<void>((resolve) => void clock.after(seconds * 1000, resolve));
        let failures = 0;
        const retried = () => assert.ok(failures++ % 3 === 2);
        const jobs = {
            'each-second': job('* * * * * *'),
            overlaps: job('*/5 * * * * *', last(7)),
            queues: job('*/5 * * * * *', last(6), { overlap: 'queue' }),
            replaced: job('*/10 * * * * *', last(3), { overlap: 'replace' }),
            'side-by-side': job('*/20 * * * * *', last(50), { overlap: 'allow' }),
            spread: job('*/10 * * * *', () => {}, { spread: '5m' }),
            long: job('0 * * * *', last(1_500)),
            retried: job('* * * * *', retried, { retries: 3, retryDelay: '20s' }),
            'not-today': job('*/10 * * * * *', () => {}, { except: ['2026-01-01'] }),
            elsewhere: job('*/10 * * * * *', () => {}, { environments: ['staging'] }),
            paused: job('*/10 * * * * *'),
            later: job([]),
        };
        const config = { concurrency: 3, turn: '2s' };
        const { bot, eventsOf } = await startScenario('', jobs, { clock, config });
        await bot.pauseBackgroundJob('paused');
        for (let minute = 0; minute < 60; minute++) {
            await bot.enqueue('later', { in: '7m' });
            await clock.advance(60_000);
            assert.deepEqual(await faultsNow(bot), [], `minute ${minute}`);
        }
        assert.ok(eventsOf('run-ended').length > 3_600);
        assert.deepEqual(eventsOf('slot-overdue'), []);
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
