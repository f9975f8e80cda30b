import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { patience } from '../support/pace.js';
import { PACKAGE } from '../support/pack.js';
import { configFor } from '../support/redis_reader.js';
import { skipWithoutRedis, startRedis } from '../support/redis_server.js';
import { openWatchedApp } from '../support/watched_app.js';

const PRODUCTION = { NODE_ENV: 'production' };
const EACH_SECOND = { tick: `{ meta(){ this.schedule('* * * * * *'); }, run(){ note(this, 'start'); } }` };

const configWith = (bot: object): Record<string, string> => ({
    'pinstripe.config.js': `export default { bot: ${JSON.stringify({ timezone: 'UTC', ...bot })} };`,
});

const openApp = (bot: object = {}, files = configWith({ health: { overdue: '2s' }, ...bot })) =>
    openWatchedApp(EACH_SECOND, files);

describe('health, judged from outside', { concurrency: 2 }, () => {
    test('of a bot that never ran, works, hangs, is killed, and is started again', async () => {
        const { fleet, web, says, isContent } = await openApp();
        await says('no process');
        const first = fleet.start();
        await isContent();
        first.kill('SIGSTOP');
        await says('no process');
        first.kill('SIGCONT');
        await isContent();
        first.kill('SIGKILL');
        await says('no process');
        fleet.start();
        await isContent();
        // Once when it begins, once when it ends.
        assert.equal(web.output.match(/unhealthy \/up answers 503/g)?.length, 3, web.output);
        assert.equal(web.output.match(/healthy again, after/g)?.length, 3, web.output);
    });

    test('of a journal that another process keeps locked, and of jobs that are paused', async () => {
        const { fleet, look, says, isContent } = await openApp();
        fleet.start();
        await isContent();
        const lock = `import Database from 'libsql';
            new Database(${JSON.stringify(fleet.journal)}).exec('BEGIN EXCLUSIVE');
            console.log('locked');
            setTimeout(() => process.exit(), 60_000);`;
        await fleet.app.link('libsql', join(PACKAGE, 'node_modules/libsql'));
        await fleet.app.write({ 'lock.mjs': lock });
        const locker = fleet.app.start(['lock.mjs']);
        await locker.printed(/locked/);
        await says('no process');
        locker.signal('SIGKILL');
        await isContent();
        await fleet.command('pause-background-job', '--all');
        await delay(4_000);
        assert.deepEqual(await look(), { kinds: [], up: 200 });
    });

    test('of a config that is wrong, with which no server starts a bot', async () => {
        const { says, fleet, port, web } = await openApp({}, configWith({ tiemzone: 'UTC' }));
        await says('bad config');
        assert.match(web.output, /unhealthy .*unknown key `bot\.tiemzone`/);
        const words = ['start-server', '--host', `127.0.0.1:${port + 1}`];
        const { code } = await fleet.app
            .start(['node_modules/pinstripe/cli.js', ...words], PRODUCTION)
            .ended();
        assert.equal(code, 1);
    });

    test('of a bot that cannot start because it must have its journal', async () => {
        const journal = { filename: '/proc/nowhere/bot.db', required: true };
        const { up, serve, web } = await openApp({ journal });
        assert.equal(await up(), 503);
        web.signal('SIGTERM');
        await web.ended();
        const own = serve();
        await own.printed(/The bot could not start/);
        assert.equal(await up(), 503);
        assert.match(own.output, /unhealthy .*the bot of this process could not start: .*\/proc\/nowhere/);
    });

    test('of a Redis that is silent, or away, within a second', { skip: skipWithoutRedis }, async () => {
        const redis = await startRedis();
        const { fleet, up, says, isContent } = await openApp(
            {},
            configFor(redis.url, { health: { overdue: '2s' } }),
        );
        fleet.start();
        await isContent();
        redis.signal('SIGSTOP');
        const since = performance.now();
        assert.equal(await up(), 503);
        assert.ok(performance.now() - since < patience(1_500));
        await says('store away');
        redis.signal('SIGCONT');
        await isContent();
        await redis.stop();
        await says('store away');
        await redis.start();
        await isContent();
        await fleet.stop();
        await redis.stop();
    });
});
