import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_JOURNAL } from '../../lib/config/config.js';
import { RedisSettings } from '../../lib/config/redis_settings.js';
import { BullmqEngine } from '../../lib/engines/bullmq/engine.js';
import { EmbeddedEngine } from '../../lib/engines/embedded/engine.js';
import type { JobPlan } from '../../lib/jobs/job_plan.js';
import { readSettings } from '../../lib/jobs/settings.js';
import type { Engine, EngineHost, Result, TakenRun } from '../../lib/runs/engine.js';
import { slotsOf } from '../../lib/runs/lookups.js';
import { createRun } from '../../lib/runs/run.js';
import { systemClock } from '../../lib/time/clock.js';
import { skipWithoutRedis, startRedis } from '../support/redis_server.js';

const FAILURE = {
    name: 'Error',
    message: 'it is broken',
    stack: 'Error: it is broken\n    at run (/app/a.js:1:1)',
};

const plan: JobPlan = {
    name: 'a',
    file: undefined,
    settings: readSettings({ multiTenant: false }).settings,
    sources: {},
    schedules: [],
    problems: [],
    runnable: true,
};

/** Ends as the first of its args says; `hangs` waits until it is told to go on. */
async function perform({ run, signal }: TakenRun): Promise<Result> {
    const [how] = run.args;
    if (how === 'fails') return { kind: 'ended', outcome: 'failed', error: FAILURE };
    if (how === 'hangs') {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return { kind: 'ended', outcome: 'aborted', reason: String(signal.reason) };
    }
    return { kind: 'ended', outcome: 'succeeded' };
}

function testLookups(name: string, create: () => Promise<{ engine: Engine; filename: string | false }>) {
    test(`${name}: finds runs by their id, outcome and tenant, and says what goes on and waits`, async () => {
        const { engine, filename } = await create();
        const host: EngineHost = {
            environment: 'production',
            journal: { ...DEFAULT_JOURNAL, filename },
            clock: systemClock,
            emit: () => {},
            concurrency: 10,
            turn: 30_000,
            outputKept: 2,
            planOf: () => plan,
            perform,
            failingAfter: () => Infinity,
            recovered: () => {},
        };
        await engine.open(host);
        engine.work();
        const history = await engine.history(host);
        const ask = async (how: string, tenant?: string, runAt?: number) => {
            const run = createRun({ job: 'a', args: [how], tenant, manual: true });
            await engine.request({ run, plan, isAwaited: false, runAt });
            return run.id;
        };
        const until = async (id: string, outcome: string) => {
            for (const end = Date.now() + 20_000; Date.now() < end; await delay(20))
                if ((await history.run('a', id))?.outcome === outcome) return;
            assert.fail(`${id} is ${(await history.run('a', id))?.outcome}, and not ${outcome}`);
        };
        const empty = await history.version(['a']);
        const good = await ask('succeeds', 't1');
        await until(good, 'succeeded');
        const bad = await ask('fails', 't2');
        await until(bad, 'failed');
        const going = await ask('hangs');
        await until(going, 'running');
        const later = await ask('succeeds', undefined, Date.now() + 3_600_000);
        await until(later, 'waiting');

        const found = await history.run('a', bad);
        assert.equal(found?.error, 'Error: it is broken');
        assert.match(found?.stack ?? '', /app\/a\.js/);
        assert.equal(await history.run('b', bad), undefined);
        assert.equal(await history.run('a', 'nobody'), undefined);

        const ids = async (search: object) =>
            (await history.search('a', search, 10)).flatMap((one) => (one.kind === 'run' ? one.id : []));
        assert.deepEqual(await ids({}), [going, bad, good]);
        assert.deepEqual(await ids({ outcome: 'failed' }), [bad]);
        assert.deepEqual(await ids({ outcome: 'running' }), [going]);
        assert.deepEqual(await ids({ tenant: 't1' }), [good]);
        assert.deepEqual(await ids({ tenant: 't1', outcome: 'failed' }), []);
        assert.equal((await history.search('a', {}, 2)).length, 2);

        const slots = (await history.slots(['a', 'b'], 2)).get('a') ?? [];
        assert.deepEqual(
            slots.map(({ id, outcome }) => [id, outcome]),
            [
                [going, 'running'],
                [bad, 'failed'],
            ],
        );
        assert.equal(slots[1]?.error, 'Error: it is broken');
        assert.deepEqual(
            (await history.running()).map(({ id }) => id),
            [going],
        );
        assert.deepEqual(
            (await history.waitingRuns(10)).map(({ id, isReady }) => [id, isReady]),
            [[later, false]],
        );
        const from = Date.now() - 60_000;
        const busy = await history.since(from, 3_600_000);
        assert.deepEqual(busy, [{ job: 'a', at: from, count: 3, outcome: 'running' }]);

        const before = await history.version(['a']);
        assert.notEqual(before, empty);
        assert.equal(await history.version(['a']), before);
        await engine.pause({
            job: 'b',
            pausedAt: Date.now(),
            until: undefined,
            reason: undefined,
            by: undefined,
        });
        assert.deepEqual(
            (await history.pauses()).map(({ job, pausedAt }) => [job, typeof pausedAt]),
            [['b', 'number']],
        );
        const paused = await history.version(['a']);
        assert.notEqual(paused, before);
        await engine.abort(going, 'interrupted');
        await until(going, 'aborted');
        assert.notEqual(await history.version(['a']), paused);
        const processes = await history.processes();
        const own = [process.pid, hostname(), false];
        for (const { pid, host, isGone } of processes) assert.deepEqual([pid, host, isGone], own);
        assert.ok(processes.every(({ startedAt }) => startedAt <= Date.now()));
        await history.close();
        await engine.close();
    });
}

describe('a history answers what pages ask', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pinstripe-bot-lookups-'));
    after(() => rmSync(folder, { recursive: true }));

    testLookups('a file', async () => ({ engine: new EmbeddedEngine(), filename: join(folder, 'bot.db') }));
    testLookups('memory', async () => ({ engine: new EmbeddedEngine(), filename: false }));
    describe('Redis', { skip: skipWithoutRedis }, () => {
        testLookups('Redis', async () => {
            const { port, stop } = await startRedis();
            after(() => stop());
            const redis = new RedisSettings(`redis://127.0.0.1:${port}`);
            return {
                engine: new BullmqEngine({ redis, redisPrefix: 'test', role: 'both' }),
                filename: false,
            };
        });
    });

    test('the runs of a slot are one, the worst of them; skipped slots stand among them', () => {
        const run = (
            id: string,
            scheduledAt: number,
            outcome: 'failed' | 'succeeded',
            startedAt: number,
        ) => ({
            ...{ id, scheduledAt, outcome, startedAt, endedAt: startedAt + 5 },
            ...{ manual: false, reason: undefined, error: undefined },
        });
        const runs = [
            run('c', 3, 'succeeded', 3_000),
            run('b', 1, 'failed', 1_010),
            run('a', 1, 'succeeded', 1_000),
        ];
        const skips = [{ first: 2, last: 2, count: 1, reason: 'overlap' }];
        assert.deepEqual(
            slotsOf(runs, skips, 10).map(({ at, outcome, id, startedAt, endedAt }) => [
                at,
                outcome,
                id,
                startedAt,
                endedAt,
            ]),
            [
                [3_000, 'succeeded', 'c', 3_000, 3_005],
                [2_000, 'skipped', undefined, 2_000, 2_000],
                [1_000, 'failed', 'b', 1_000, 1_015],
            ],
        );
        assert.equal(slotsOf(runs, skips, 2).length, 2);
    });
});
