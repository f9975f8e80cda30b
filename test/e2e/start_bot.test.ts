import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backgroundJobs, makeApp, UNTIL_RELEASED } from '../support/installed_app.js';

const JOBS = backgroundJobs({
    ticks: "export default { meta(){ this.schedule('* * * * * *'); }, run(){} };",
});
const STARTED = /bot started: 1 background job, 1 schedule, next slot .* \(embedded, journal .*\)$/m;

describe('start-bot', { concurrency: 2 }, () => {
    for (const [binary, signal] of [
        ['pinstripe', 'SIGTERM'],
        ['pinstripe-bot', 'SIGINT'],
    ] as const) {
        test(`of ${binary} runs the jobs without a server, and lets the run in flight finish on ${signal}`, async () => {
            const app = await makeApp(UNTIL_RELEASED);
            const bot = app.start(binary, ['start-bot']);
            await bot.printed(STARTED);
            await bot.printed(/^begin$/m);
            bot.signal(signal);
            await bot.printed(/bot stopping: waiting for 1 run in flight/);
            await app.write({ release: '' });
            const { code, stdout, stderr } = await bot.ended();
            assert.deepEqual([code, stderr], [0, '']);
            assert.match(stdout, /^end\n.*succeeded until-released.*\n.*bot stopped\n$/m);
            assert.doesNotMatch(stdout, /running at/);
        });
    }

    test('stays alive though nothing is to come', async () => {
        const app = await makeApp();
        const bot = app.start('pinstripe', ['start-bot']);
        await bot.printed(/bot started: 0 background jobs, 0 schedules, nothing to come/);
        const { code, stdout } = await bot.ended('SIGTERM');
        assert.equal(code, 0);
        assert.match(stdout, /bot stopped\n$/);
    });

    test('starts with bot: false, and says what that means', async () => {
        const app = await makeApp({ ...JOBS, 'pinstripe.config.js': 'export default { bot: false };' });
        const bot = app.start('pinstripe-bot', ['start-bot']);
        await bot.printed(/succeeded ticks/);
        const { code, stderr } = await bot.ended('SIGTERM');
        assert.equal(code, 0);
        assert.match(
            stderr,
            /^pinstripe\.config\.js has `bot: false`, which keeps the bot out of start-server: .*\n$/,
        );
    });
});
