import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { backgroundJobs, makeApp } from '../support/installed_app.js';

const JOBS = backgroundJobs({
    guard: `export default {
        async run(){
            const until = new Date(Date.now() + 3_600_000);
            await this.bot.pauseBackgroundJob('ticks', { reason: 'stocktaking', until, by: 'the guard' });
        }
    };`,
    ticks: "export default { meta(){ this.schedule('* * * * * *'); }, run(){} };",
});

describe('a pause with a reason and an end', { concurrency: 2 }, () => {
    test('holds in a bot that runs, is told of everywhere, and ends by itself', async () => {
        const app = await makeApp(JOBS);
        const bot = app.start('pinstripe-bot', ['start-bot']);
        await bot.printed(/succeeded ticks/);
        const words = ['pause-background-job', 'ticks', '--reason', 'supplier down', '--until', '+6s'];
        const done = await app.run('pinstripe', words);
        assert.match(done.stdout, /^paused ticks until [-\d]+ [:\d]+( [-+:\d]+)?: supplier down\n$/);
        const list = await app.call(['list-background-jobs', '--paused', '--json']);
        const [{ name, state, pause }, ...others] = JSON.parse(list.stdout).jobs;
        assert.deepEqual([name, state, others], ['ticks', 'paused', []]);
        assert.deepEqual([pause.reason, pause.all], ['supplier down', false]);
        assert.match(pause.by, /^.+@.+$/);
        const [since, until] = [Date.parse(pause.since), Date.parse(pause.until)];
        await delay(Math.max(0, until + 1_500 - Date.now()));
        await bot.ended('SIGTERM');
        const shown = await app.call(['show-background-job', 'ticks', '--json', '--runs', '1000']);
        const { job } = JSON.parse(shown.stdout);
        assert.deepEqual([job.state, job.paused, job.pause], ['scheduled', false, null]);
        const slots: number[] = job.past.map(({ scheduledAt }: { scheduledAt?: string }) =>
            Date.parse(scheduledAt ?? ''),
        );
        assert.ok(slots.includes(until), 'the first slot after it runs');
        assert.deepEqual(
            slots.filter((slot) => slot > since + 1_000 && slot < until),
            [],
        );
        assert.deepEqual(
            (await app.call(['list-background-jobs', '--paused'])).stdout.trim(),
            'No background job is paused.',
        );
    });

    test('by a job says so, too, and is ended by hand', async () => {
        const app = await makeApp(JOBS);
        await app.call(['run-background-job', 'guard']);
        const { stdout } = await app.call(['show-background-job', 'ticks']);
        assert.match(stdout, /^ {2}paused until .*: stocktaking$\n^ {2}paused by the guard since .*$/m);
        await app.call(['resume-background-job', 'ticks']);
        assert.doesNotMatch((await app.call(['show-background-job', 'ticks'])).stdout, /paused/);
    });

    test('is told on the clock of the config', async () => {
        const config = "export default { bot: { timezone: 'Asia/Tokyo' } };";
        const app = await makeApp({ ...JOBS, 'pinstripe.config.js': config });
        const { stdout } = await app.call(['pause-background-job', 'ticks', '--until', '2099-01-01T00:00Z']);
        assert.equal(stdout, 'paused ticks until 2099-01-01 09:00\n');
    });
});
