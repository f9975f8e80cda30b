import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backgroundJobs, makeApp } from '../support/installed_app.js';

const JOBS = backgroundJobs({
    ticks: "export default { meta(){ this.schedule('* * * * * *'); }, run(){} };",
});

describe('start-bot', { concurrency: 2 }, () => {
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
