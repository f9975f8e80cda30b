import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/free_port.js';
import { patience } from '../support/pace.js';
import { PACKAGE } from '../support/pack.js';
import { configFor } from '../support/redis_reader.js';
import { skipWithoutRedis, startRedis } from '../support/redis_server.js';
import { type Fleet, openFleet, until } from '../support/servers.js';

const CLI = 'node_modules/pinstripe-bot/dist/bin/pinstripe_bot.js';
const PRODUCTION = { NODE_ENV: 'production' };
const EACH_SECOND = { tick: `{ meta(){ this.schedule('* * * * * *'); }, run(){ note(this, 'start'); } }` };

/** What is judged from outside within so long, in milliseconds: an overdue time of two seconds, and ten more. */
const SOON = 12_000;

const fleets: Fleet[] = [];
after(() => Promise.all(fleets.map((fleet) => fleet.stop())));

const configWith = (bot: object): Record<string, string> => ({
    'pinstripe.config.js': `export default { bot: ${JSON.stringify({ timezone: 'UTC', ...bot })} };`,
});

interface Health {
    readonly kinds: string[];
    readonly up: number;
}

/** An app with a web process that has no bot, and what that and the command say. */
async function openApp(bot: object = {}, files = configWith({ health: { overdue: '2s' }, ...bot })) {
    const fleet = await openFleet(EACH_SECOND, files);
    fleets.push(fleet);
    const port = await freePort();
    const serve = (...words: string[]) =>
        fleet.app.start(
            ['node_modules/pinstripe/cli.js', 'start-server', '--host', `127.0.0.1:${port}`, ...words],
            PRODUCTION,
        );
    const web = serve('--without-bot');
    await web.printed(/Pinstripe running at/);
    const look = async (): Promise<Health> => {
        const { stdout } = await fleet.app.start([CLI, 'check-health', '--json'], PRODUCTION).ended();
        const { faults } = JSON.parse(stdout) as { faults: { kind: string }[] };
        const { status } = await fetch(`http://127.0.0.1:${port}/up`);
        return { kinds: faults.map(({ kind }) => kind), up: status };
    };
    const says = (kind: string) =>
        until(
            `${kind}`,
            async () => {
                const { kinds, up } = await look();
                return kinds.includes(kind) && up === 503;
            },
            SOON,
        );
    const isContent = () =>
        until(
            'health',
            async () => {
                const { kinds, up } = await look();
                return kinds.length === 0 && up === 200;
            },
            SOON,
        );
    return { fleet, web, port, look, says, isContent, serve };
}

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
        await fleet.app.start([CLI, 'pause-background-job', '--all'], PRODUCTION).ended();
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
        const { look, serve, web, port } = await openApp({ journal });
        assert.equal((await look()).up, 503);
        web.signal('SIGTERM');
        await web.ended();
        const own = serve();
        await own.printed(/The bot could not start/);
        assert.equal((await fetch(`http://127.0.0.1:${port}/up`)).status, 503);
        assert.match(own.output, /unhealthy .*the bot of this process could not start: .*\/proc\/nowhere/);
    });

    test('of a Redis that is silent, or away, within a second', { skip: skipWithoutRedis }, async () => {
        const redis = await startRedis();
        const { fleet, port, says, isContent } = await openApp(
            {},
            configFor(redis.url, { health: { overdue: '2s' } }),
        );
        fleet.start();
        await isContent();
        redis.signal('SIGSTOP');
        const since = performance.now();
        const { status } = await fetch(`http://127.0.0.1:${port}/up`);
        assert.ok(performance.now() - since < patience(1_500));
        assert.equal(status, 503);
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
