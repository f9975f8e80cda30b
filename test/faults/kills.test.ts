import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { configFor } from '../support/redis_reader.js';
import { skipWithoutRedis, startRedis } from '../support/redis_server.js';
import { assertOnce, openFleet, until } from '../support/servers.js';

const JOBS = {
    // Only the process that is told to takes long.
    slow: `{
        meta(){ this.schedule('* * * * * *'); },
        missed: 'skip', retries: 1,
        async run(){
            note(this, 'start');
            console.log('attempt ' + this.currentRun.attempt);
            await sleep(Number(process.env.SLOW ?? 0));
            note(this, 'end');
        }
    }`,
    later: `{ run(how){ note({ currentRun: { ...this.currentRun, job: 'later ' + how } }, 'start'); } }`,
};

/** Until when the server has been killed, in seconds. */
const WAIT = 15;

const ENQUEUE_SCRIPT = `
    import 'pinstripe-bot';
    import { Workspace, importAll } from 'pinstripe';
    await import('./lib/index.js');
    await importAll();
    await Workspace.run(async function () {
        await this.bot.enqueue('later', { in: '${WAIT}s', args: ['in'] });
        await this.bot.enqueue('later', { at: new Date(Date.now() + ${WAIT}_000), args: ['at'] });
    });
    process.exit();
`;

const ENGINES = {
    embedded: { skip: false, config: async () => ({}) },
    bullmq: {
        skip: skipWithoutRedis,
        async config() {
            const redis = await startRedis();
            after(() => redis.stop());
            return configFor(redis.url);
        },
    },
};

for (const [engine, { skip, config }] of Object.entries(ENGINES))
    describe(`a server that is killed, with the engine ${engine}`, { skip, concurrency: true }, () => {
        const openApp = async () => openFleet(JOBS, { ...(await config()), 'enqueue.mjs': ENQUEUE_SCRIPT });

        test('leaves what its run has printed, and the next attempt adds to it', async () => {
            const fleet = await openApp();
            const victim = fleet.start({ SLOW: '60000' });
            const [first] = await until('a run', () => fleet.evidence({ job: 'slow', what: 'start' }));
            // What it has printed is written with a beat.
            await delay(3_000);
            victim.kill('SIGKILL');
            await victim.ended;
            fleet.start();
            const slot = first?.slot ?? 0;
            await until('the second attempt', () => fleet.evidence({ job: 'slow', what: 'end', slot }));
            const outputOf = async () => {
                const show = async (...words: string[]) =>
                    (await fleet.command('show-background-job', 'slow', ...words)).stdout;
                const { past } = JSON.parse(await show('--runs', '1000', '--json')).job;
                const again = past.find(({ attempt }: { attempt?: number }) => attempt === 2);
                return again && show('--run', again.id);
            };
            assert.match(await until('its record', outputOf), /Output\n {2}attempt 1\n {2}attempt 2\n/);
            await fleet.stop();
            assertOnce(await fleet.evidence());
        });

        test('takes none of the runs with it that were written down for later', async () => {
            const fleet = await openApp();
            const victim = fleet.start();
            await victim.started;
            const from = Date.now() + WAIT * 1000;
            const words = ['later', '--arguments', '["command"]', '--in', `${WAIT}s`];
            await Promise.all([
                fleet.app.start(['enqueue.mjs'], { NODE_ENV: 'production' }).ended(),
                fleet.command('run-background-job', ...words),
            ]);
            victim.kill('SIGKILL');
            await victim.ended;
            const others = [fleet.start(), fleet.start()];
            const hows = ['at', 'command', 'in'];
            const runs = () => fleet.evidence().then((all) => all.filter(({ job }) => /^later /.test(job)));
            await until('the runs', async () => (await runs()).length >= hows.length);
            await delay(2_000);
            await fleet.stop();
            const found = await runs();
            assert.deepEqual(
                found.map(({ job }) => job).sort(),
                hows.map((how) => `later ${how}`),
            );
            for (const { at, pid } of found) {
                assert.ok(at >= from, `${from - at} ms before its time`);
                assert.ok(others.some(({ child }) => child.pid === pid));
            }
        });
    });
