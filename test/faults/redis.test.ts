import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openNetwork } from '../support/network.js';
import { patience } from '../support/pace.js';
import { configFor, onQueue, readHistory } from '../support/redis_reader.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis_server.js';
import { assertOnce, type Fleet, openFleet, until } from '../support/servers.js';

const EACH_SECOND = `meta(){ this.schedule('* * * * * *'); }`;
const SLOW_RUN = `async run(){ note(this, 'start'); await sleep(Number(process.env.SLOW ?? 0)); note(this, 'end'); }`;
const QUICK = `run(){ note(this, 'start'); }`;

/** A Redis and an app of its own, gone at the end. */
interface Stage {
    readonly redis: RedisServer;
    readonly fleet: Fleet;
}

const stages: Stage[] = [];
after(async () => {
    for (const { redis, fleet } of stages) {
        await fleet.stop();
        await redis.stop();
    }
});

async function setStage(jobs: Record<string, string>, bot: object = {}): Promise<Stage> {
    const redis = await startRedis();
    const stage = { redis, fleet: await openFleet(jobs, configFor(redis.url, bot)) };
    stages.push(stage);
    return stage;
}

describe('on a Redis', { skip: skipWithoutRedis, concurrency: true }, () => {
    test('a run whose worker is killed goes to another one, as often as its retries allow', async () => {
        const { redis, fleet } = await setStage({
            again: `{ ${EACH_SECOND}, retries: 1, ${SLOW_RUN} }`,
            once: `{ ${EACH_SECOND}, ${SLOW_RUN} }`,
        });
        const victim = fleet.start({ SLOW: '60000' });
        const slots = await until('two runs', async () => {
            const starts = await fleet.evidence({ what: 'start' });
            const [again, once] = ['again', 'once'].map(
                (job) => starts.find((line) => line.job === job)?.slot,
            );
            return again !== undefined && once !== undefined && { again, once };
        });
        victim.kill('SIGKILL');
        await victim.ended;
        const others = [fleet.start(), fleet.start()];
        await until(
            'the lanes to be free',
            async () => {
                const later = (await fleet.evidence({ what: 'start' })).filter(
                    (line) => line.slot > slots.once + 5,
                );
                return later.some(({ job }) => job === 'once') && later.some(({ job }) => job === 'again');
            },
            45_000,
        );
        for (const other of others) other.kill('SIGTERM');
        await Promise.all(others.map(({ ended }) => ended));

        const attempts = (job: string, slot: number) =>
            fleet
                .evidence()
                .then((lines) => lines.filter((line) => line.job === job && line.slot === slot))
                .then((lines) => lines.map(({ what, attempt }) => `${what} ${attempt}`));
        assert.deepEqual(await attempts('again', slots.again), ['start 1', 'start 2', 'end 2']);
        assert.deepEqual(await attempts('once', slots.once), ['start 1']);
        assert.deepEqual(await outcomesOf(redis, 'again', slots.again), ['succeeded attempt 2']);
        assert.deepEqual(await outcomesOf(redis, 'once', slots.once), ['lost attempt 1']);
        assert.match(others.map((other) => other.output()).join(''), /lost once .*its process died/);
        assertOnce(await fleet.evidence());
    });

    test('a job that hangs stops neither its worker nor anybody', async () => {
        const { fleet } = await setStage(
            {
                hang: `{ ${EACH_SECOND}, overlap: 'skip', run(){ note(this, 'start'); return new Promise(() => {}); } }`,
                tick: `{ ${EACH_SECOND}, ${QUICK} }`,
            },
            { stopTimeout: '1s' },
        );
        fleet.start();
        await until(
            'five ticks',
            async () => (await fleet.evidence({ job: 'tick', what: 'start' })).length >= 5,
        );
        assert.equal((await fleet.evidence({ job: 'hang', what: 'start' })).length, 1);
    });

    test('Redis is away when the bot starts, and when it stops', async () => {
        const { redis, fleet } = await setStage({ tick: `{ ${EACH_SECOND}, ${QUICK} }` });
        await redis.stop();
        const server = fleet.start();
        await server.started;
        await until('a word of it', async () =>
            /redis 127\.0\.0\.1:\d+ cannot be used/.test(server.output()),
        );
        await redis.start();
        await until('ticks', async () => (await fleet.evidence({ what: 'start' })).length >= 2);
        assert.match(server.output(), /redis 127\.0\.0\.1:\d+ can be used again/);
        await redis.stop();
        await until('a word of it', async () => server.output().match(/cannot be used/g)?.length === 2);
        const stoppedAt = Date.now();
        server.kill('SIGTERM');
        await server.ended;
        assert.ok(Date.now() - stoppedAt < patience(10_000), `it took ${Date.now() - stoppedAt} ms`);
        assert.doesNotMatch(server.output(), /Unhandled|at .*\.js:\d+/);
        await redis.start();
        assertOnce(await fleet.evidence());
    });

    for (const SLOW of ['0', '1000'])
        test(`start-bot comes to its end by itself although Redis is away, with runs of ${SLOW} ms`, async () => {
            const { redis, fleet } = await setStage({ tick: `{ ${EACH_SECOND}, ${SLOW_RUN} }` });
            const bot = fleet.app.start(
                ['node_modules/pinstripe-bot/dist/bin/pinstripe_bot.js', 'start-bot'],
                {
                    NODE_ENV: 'production',
                    EVIDENCE: join(fleet.app.root, 'evidence'),
                    SLOW,
                },
            );
            await until('a tick', async () => (await fleet.evidence({ what: 'start' })).length > 0);
            await redis.stop();
            await until('a word of it', async () => bot.stderr.includes('cannot be used'));
            bot.signal('SIGTERM');
            const { code, stdout, stderr } = await bot.ended();
            assert.equal(code, 0, stderr);
            assert.match(stdout, /bot stopped\n$/);
            assert.doesNotMatch(stderr, /keeps the process alive/);
        });

    test('what became due while Redis was away is caught up, once, in order', async () => {
        const { redis, fleet } = await setStage({
            all: `{ ${EACH_SECOND}, missed: 'all', ${QUICK} }`,
            latest: `{ ${EACH_SECOND}, missed: 'once', ${QUICK} }`,
        });
        const servers = [fleet.start(), fleet.start()];
        await Promise.all(servers.map(({ started }) => started));
        await until('runs', async () => (await fleet.evidence({ job: 'all', what: 'start' })).length >= 2);
        await redis.stop();
        const away = Math.floor(Date.now() / 1000);
        await delay(14_000);
        await redis.start();
        const back = Math.ceil(Date.now() / 1000);
        await until('runs after it', async () =>
            (await fleet.evidence({ job: 'all', what: 'start' })).some(({ slot }) => slot > back + 4),
        );
        await fleet.stop();
        const evidence = await fleet.evidence();
        assertOnce(evidence);
        const all = evidence.filter(({ job }) => job === 'all').map(({ slot }) => slot);
        const without = (from: number, to: number, known: number[]) =>
            Array.from({ length: to - from }, (_, index) => from + index).filter(
                (slot) => !known.includes(slot),
            );
        const outputs = servers.map((server) => server.output()).join('\n');
        assert.deepEqual(without(away + 1, back, all), [], outputs);
        // What is due while others catch up may overlap with them.
        const overlapping = (await readHistory(redis.url, ['all'])).flatMap((entry) =>
            entry.kind === 'skips' && entry.reason === 'overlap'
                ? Array.from({ length: entry.count }, (_, index) => entry.first + index)
                : [],
        );
        assert.deepEqual(without(back, Math.max(...all), [...all, ...overlapping]), [], outputs);
        const caughtUp = evidence.filter(({ job, slot, at }) => job === 'all' && at - slot * 1000 > 1_500);
        assert.deepEqual(
            caughtUp.map(({ slot }) => slot),
            caughtUp.map(({ slot }) => slot).sort(),
            'in order',
        );
        const latest = evidence.filter(({ job, slot }) => job === 'latest' && slot > away + 1 && slot < back);
        assert.ok(latest.length <= 3, `${latest.length} of ${back - away} ran although one is enough`);
        for (const server of servers)
            assert.equal(server.output().match(/cannot be used/g)?.length, 1, server.output());
    });

    test('a process that is cut off while others go on: its run is given up, and is not run again', async () => {
        const { redis, fleet } = await setStage({
            slow: `{ ${EACH_SECOND}, ${SLOW_RUN} }`,
            tick: `{ ${EACH_SECOND}, overlap: 'allow', ${QUICK} }`,
        });
        const network = await openNetwork(redis.port);
        const lonely = fleet.start({ REDIS: network.url, SLOW: '20000', ROLE: 'worker' });
        await lonely.started;
        const other = fleet.start({ SLOW: '100', ROLE: 'scheduler' });
        const [held] = await until('the lane to be taken', async () =>
            fleet.evidence({ job: 'slow', what: 'start' }),
        );
        network.cut();
        const worker = fleet.start({ SLOW: '100', ROLE: 'worker' });
        await until(
            'the lane to go on elsewhere',
            async () => (await fleet.evidence({ job: 'slow', what: 'start' })).length >= 3,
            45_000,
        );
        await until('its end', async () =>
            (await fleet.evidence()).some(({ what, pid }) => what === 'end' && pid === lonely.child.pid),
        );
        network.heal();
        const healedAt = Date.now();
        await until('it to work again', async () =>
            (await fleet.evidence({ job: 'tick', what: 'start' })).some(
                ({ pid, at }) => pid === lonely.child.pid && at > healedAt,
            ),
        );
        await fleet.stop();
        await network.close();
        const evidence = await fleet.evidence();
        assertOnce(evidence);
        const ticks = evidence.filter(({ job }) => job === 'tick').map(({ slot }) => slot);
        const [firstTick, lastTick] = [Math.min(...ticks), Math.max(...ticks)];
        assert.equal(new Set(ticks).size, lastTick - firstTick + 1, 'each tick ran');
        assert.deepEqual(await outcomesOf(redis, 'slow', held?.slot ?? 0), ['lost attempt 1']);
        assert.match(worker.output() + other.output(), /lost slow .*its process died/);
        assert.match(lonely.output(), /slow .*lost/);
    });

    test('commands in other processes pause, resume and run, and come to their end', async () => {
        const { fleet } = await setStage({ tick: `{ ${EACH_SECOND}, ${QUICK} }` });
        const bot = (...words: string[]) =>
            fleet.app
                .start(['node_modules/pinstripe-bot/dist/bin/pinstripe_bot.js', ...words], {
                    NODE_ENV: 'production',
                    EVIDENCE: join(fleet.app.root, 'evidence'),
                })
                .ended();
        const server = fleet.start();
        await until('ticks', async () => (await fleet.evidence({ what: 'start' })).length >= 2);
        assert.equal((await bot('pause-background-job', 'tick')).stdout, 'paused tick\n');
        const pausedAt = Math.floor(Date.now() / 1000);
        const ran = await bot('run-background-job', 'tick');
        assert.deepEqual([ran.code, ran.stderr], [0, '']);
        assert.equal((await bot('resume-background-job', '--all')).stdout, 'resumed all background jobs\n');
        const resumedAt = Math.floor(Date.now() / 1000);
        const later = await until('a tick after it', async () =>
            (await fleet.evidence({ what: 'start' })).filter(({ slot }) => slot > pausedAt + 1),
        );
        assert.ok(Math.min(...later.map(({ slot }) => slot)) >= resumedAt - 1);
        const { stdout } = await bot(
            'pause-background-job',
            '--all',
            '--until',
            '+3s',
            '--reason',
            'upgrade',
        );
        const [, end = ''] = /^paused all background jobs until (.+): upgrade\n$/.exec(stdout) ?? [];
        const endsAt = Date.parse(end) / 1000;
        await until('the first tick after the pause that ends by itself', async () =>
            (await fleet.evidence({ what: 'start' })).some(({ slot }) => slot === endsAt),
        );
        const during = (await fleet.evidence({ what: 'start' })).filter(
            ({ slot }) => slot > endsAt - 2 && slot < endsAt,
        );
        assert.deepEqual(during, []);
        // A manual run of no slot.
        assert.equal(
            (await fleet.evidence({ what: 'start' })).filter(({ slot }) => slot === undefined).length,
            1,
        );
        server.kill('SIGTERM');
        await server.ended;
        assertOnce(await fleet.evidence());
    });

    test('what is no run of ours in the queue fails alone, with a reason, and runs nothing', async () => {
        const { redis, fleet } = await setStage({ tick: `{ ${EACH_SECOND}, ${QUICK} }` });
        const server = fleet.start();
        await server.started;
        const good = {
            id: 'bad-9',
            kind: 'run',
            origin: 'schedule',
            lane: 'x',
            job: 'tick',
            process: 'x',
            args: [],
            scheduledAt: 1_000_000,
            spread: 0,
            runAt: 1,
        };
        const bad = [
            null,
            'process.exit()',
            { ...good, id: 'another' },
            { ...good, id: 'bad-3', job: ['tick'] },
            { ...good, id: 'bad-4', args: { length: 1 } },
            { ...good, id: 'bad-5', tenant: {} },
            { ...good, id: 'bad-6', scheduledAt: '1000000' },
            { ...good, id: 'bad-7', runAt: 'now' },
        ];
        await onQueue(redis.url, (queue) =>
            queue.addBulk(
                bad.map((data, index) => ({ name: 'tick', data, opts: { jobId: `bad-${index}` } })),
            ),
        );
        await until(
            'eight complaints',
            async () => server.output().match(/in the queue of Redis is malformed/g)?.length === bad.length,
        );
        await until('ticks', async () => (await fleet.evidence({ what: 'start' })).length >= 3);
        assert.deepEqual(
            (await fleet.evidence({ what: 'start' })).filter(({ slot }) => slot === 1_000_000),
            [],
        );
        const failed = await onQueue(redis.url, (queue) => queue.getFailed());
        assert.equal(failed.length, bad.length);
        assert.match(failed[0]?.failedReason ?? '', /malformed/);
    });

    test('an old release and a new one side by side: what is removed stops, what is new starts, none doubles', async () => {
        const redis = await startRedis();
        const config = configFor(redis.url);
        const kept = `missed: 'all', ${QUICK}`;
        const old = await openFleet(
            { kept: `{ ${EACH_SECOND}, ${kept} }`, removed: `{ ${EACH_SECOND}, ${QUICK} }` },
            config,
        );
        const renewed = await openFleet(
            {
                // Another crontab, and so another schedule, with the same slots.
                kept: `{ meta(){ this.schedule('*/1 * * * * *'); }, ${kept} }`,
                added: `{ ${EACH_SECOND}, missed: 'all', overlap: 'allow', ${QUICK} }`,
            },
            config,
        );
        stages.push({ redis, fleet: old }, { redis, fleet: renewed });
        const olds = [old.start(), old.start()];
        await Promise.all(olds.map(({ started }) => started));
        await until(
            'old runs',
            async () => (await old.evidence({ job: 'removed', what: 'start' })).length >= 3,
        );
        const news = [renewed.start(), renewed.start()];
        await Promise.all(news.map(({ started }) => started));
        await delay(20_000);
        for (const server of olds) server.kill('SIGTERM');
        await Promise.all(olds.map(({ ended }) => ended));
        const stoppedAt = Math.ceil(Date.now() / 1000);
        const slotsOf = async (job: string) => {
            const lines = [...(await old.evidence({ job })), ...(await renewed.evidence({ job }))];
            return lines.map(({ slot }) => slot).sort();
        };
        for (const job of ['kept', 'added'])
            await until(`${job} to have no gaps`, async () => {
                const slots = await slotsOf(job);
                const wanted = Array.from({ length: stoppedAt + 3 - (slots[0] ?? 0) }, (_, index) => index);
                return wanted.every((index) => slots.includes((slots[0] ?? 0) + index));
            });
        for (const server of news) server.kill('SIGTERM');
        await Promise.all(news.map(({ ended }) => ended));

        assertOnce([...(await old.evidence()), ...(await renewed.evidence())]);
        assert.ok(((await slotsOf('removed')).at(-1) ?? 0) <= stoppedAt, 'it went on');
        const history = await readHistory(redis.url, ['kept', 'added', 'removed']);
        const failed = history.filter((past) => past.kind === 'run' && past.outcome !== 'succeeded');
        assert.deepEqual(failed, []);
        // Of the removed job runs may go round that nobody knows any more, until they fail.
        const left = await onQueue(redis.url, (queue) => queue.getJobs(['waiting', 'active', 'delayed']));
        assert.deepEqual(
            [...new Set(left.map(({ name }) => name))].filter((name) => name !== 'removed'),
            [],
        );
    });
});

async function outcomesOf(redis: RedisServer, job: string, slot: number): Promise<string[]> {
    const history = await readHistory(redis.url, [job]);
    return history.flatMap((past) =>
        past.kind === 'run' && past.scheduledAt === slot ? [`${past.outcome} attempt ${past.attempt}`] : [],
    );
}
