import assert from 'node:assert/strict';
import { randomUUID, X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { generate } from 'selfsigned';
import { DEFAULT_JOURNAL } from '../../../lib/config/journal_settings.js';
import { RedisSettings } from '../../../lib/config/redis_settings.js';
import { type BullmqConfig, BullmqEngine } from '../../../lib/engines/bullmq/engine.js';
import type { JobPlan } from '../../../lib/jobs/job_plan.js';
import { readSettings } from '../../../lib/jobs/settings.js';
import type { EngineHost } from '../../../lib/runs/engine.js';
import type { BotEvent } from '../../../lib/runs/events.js';
import type { Run } from '../../../lib/runs/run.js';
import { systemClock } from '../../../lib/time/clock.js';
import { runOf, SLOT } from '../../engine_conformance/suite.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../../support/redis_server.js';
import { until } from '../../support/servers.js';

const PASSWORD = 'hunter2-of-redis';

/** A process with an engine, whose jobs are done when the test says so. */
interface Member {
    readonly engine: BullmqEngine;
    readonly events: BotEvent[];
    /** The runs that it executes now, with what ends them. */
    readonly executing: Map<Run, (ending?: Partial<Run>) => Promise<void>>;
    /** How far its clock is ahead, in milliseconds. */
    ahead: number;
}

describe('on a Redis', { skip: skipWithoutRedis, concurrency: true }, () => {
    let redis: RedisServer;
    const members: Member[] = [];

    before(async () => {
        redis = await startRedis(['--requirepass', PASSWORD]);
    });

    after(async () => {
        for (const { engine, executing } of members) {
            for (const end of executing.values()) await end();
            await engine.close();
        }
        await redis.stop();
    });

    const join = async (
        redisPrefix: string,
        settings: object = {},
        config: Partial<BullmqConfig> = {},
        ahead = 0,
    ): Promise<Member> => {
        const url = redis.url.replace('//', `//:${PASSWORD}@`);
        const own = { redis: new RedisSettings(url), redisPrefix, role: 'both', concurrency: 10 } as const;
        const engine = new BullmqEngine({ ...own, ...config });
        const member: Member = { engine, events: [], executing: new Map(), ahead };
        const plan = (name: string): JobPlan => ({
            name,
            file: undefined,
            settings: readSettings(settings).settings,
            sources: {},
            schedules: [],
            problems: [],
            runnable: true,
        });
        const host: EngineHost = {
            clock: { ...systemClock, now: () => Date.now() + member.ahead },
            emit: (event) => member.events.push(event),
            environment: 'production',
            journal: DEFAULT_JOURNAL,
            planOf: (name) => (name === 'unknown' ? undefined : plan(name)),
            longestMissedWithin: () => 3_600_000,
            retryOf: () => undefined,
            recovered: () => {},
            takeOver: (run) =>
                new Promise((resolve) => {
                    run.attempt += 1;
                    run.startedAt ??= Date.now();
                    member.executing.set(run, async (ending = { outcome: 'succeeded' }) => {
                        member.executing.delete(run);
                        Object.assign(run, { ...ending, endedAt: Date.now() });
                        if (run.outcome) await engine.finished(run);
                        resolve();
                    });
                }),
        };
        await engine.open(host);
        engine.watch();
        members.push(member);
        return member;
    };
    const add = (member: Member, runs: Run[], catchesUp = false) =>
        member.engine.queue?.add(runs, { catchesUp });
    const executed = (all: readonly Member[], count: number) =>
        until(`${count} runs`, async () => {
            const found = all.flatMap(({ executing }) => [...executing]);
            return found.length === count && found;
        });
    const ended = (all: readonly Member[]) =>
        all.flatMap(({ events }) =>
            events.flatMap((event) => (event.type === 'run-ended' ? [event.run] : [])),
        );

    test('a run that several add is executed once', async () => {
        const all = [await join(randomUUID())];
        const [one] = all as [Member];
        const runs = ['acme', 'globex'].map((tenant) => runOf({ tenant }));
        assert.deepEqual(await Promise.all([add(one, runs), add(one, runs), add(one, runs)]), [
            true,
            true,
            true,
        ]);
        const found = await executed(all, 2);
        assert.deepEqual(found.map(([run]) => run.tenant).sort(), ['acme', 'globex']);
        for (const [, end] of found) await end();
        await add(one, runs);
        await until('no more', async () => one.executing.size === 0);
    });

    test('a lane that is taken: `skip` skips, also in the process that has it', async () => {
        const one = await join(randomUUID(), { overlap: 'skip' });
        await add(one, [runOf({})]);
        const [[, end]] = (await executed([one], 1)) as [[Run, () => Promise<void>]];
        await add(one, [runOf({ scheduledAt: SLOT + 1 })]);
        await until('a skip', async () => ended([one]).some(({ reason }) => reason === 'overlap'));
        await end();
    });

    test('`queue` lets one wait, which starts as soon as the lane is free', async () => {
        const prefix = randomUUID();
        const all = [await join(prefix, { overlap: 'queue' }), await join(prefix, { overlap: 'queue' })];
        const [one] = all as [Member];
        await add(one, [runOf({})]);
        const [[, end]] = (await executed(all, 1)) as [[Run, () => Promise<void>]];
        await add(one, [runOf({ scheduledAt: SLOT + 1 })]);
        await new Promise((resolve) => setTimeout(resolve, 300));
        await add(one, [runOf({ scheduledAt: SLOT + 2 })]);
        await until('a skip', async () => ended(all).some(({ reason }) => reason === 'overlap'));
        await end();
        const [[next, endNext]] = (await executed(all, 1)) as [[Run, () => Promise<void>]];
        assert.equal(next.scheduledAt, SLOT + 1);
        await endNext();
    });

    test('what catches up goes one after another, in order, and nothing newer comes between', async () => {
        const prefix = randomUUID();
        const all = [await join(prefix), await join(prefix)];
        const [one] = all as [Member];
        const slots = [0, 1, 2, 3, 4].map((index) => SLOT + index);
        await add(
            one,
            slots.map((scheduledAt) => runOf({ scheduledAt })),
            true,
        );
        await add(one, [runOf({ scheduledAt: SLOT + 9 })]);
        const order: (number | undefined)[] = [];
        for (const _ of slots) {
            const [[run, end]] = (await executed(all, 1)) as [[Run, () => Promise<void>]];
            order.push(run.scheduledAt);
            await end();
        }
        assert.deepEqual(order, slots);
        assert.deepEqual(
            ended(all).map(({ scheduledAt, reason }) => [scheduledAt, reason]),
            [[SLOT + 9, 'overlap']],
        );
    });

    test('what is due now is taken before what catches up', async () => {
        const prefix = randomUUID();
        const scheduler = await join(prefix, {}, { role: 'scheduler' });
        const missed = ['acme', 'globex'].map((tenant) => runOf({ tenant, scheduledAt: SLOT - 60 }));
        await add(scheduler, missed, true);
        await add(scheduler, [runOf({ tenant: 'initech' })]);
        const worker = await join(prefix, {}, { role: 'worker', concurrency: 1 });
        const order: (string | number | undefined)[] = [];
        for (let count = 0; count < 3; count += 1) {
            const [[run, end]] = (await executed([worker], 1)) as [[Run, () => Promise<void>]];
            order.push(run.tenant);
            await end();
        }
        assert.deepEqual(order, ['initech', 'acme', 'globex']);
    });

    test('a run that is tried again holds its lane meanwhile, wherever that happens', async () => {
        const prefix = randomUUID();
        const settings = { retries: 1, overlap: 'skip' };
        const all = [await join(prefix, settings), await join(prefix, settings)];
        const [one] = all as [Member];
        await add(one, [runOf({})]);
        const [[run, end]] = (await executed(all, 1)) as [[Run, (ending: object) => Promise<void>]];
        const holder = all.find(({ executing }) => executing.has(run)) as Member;
        assert.equal(holder.engine.retrying(run, 1_500), true);
        await end({});
        await add(one, [runOf({ scheduledAt: SLOT + 1 })]);
        await until('a skip', async () => ended(all).some(({ reason }) => reason === 'overlap'));
        const [[again, endAgain]] = (await executed(all, 1)) as [[Run, () => Promise<void>]];
        assert.equal(again.scheduledAt, SLOT);
        assert.equal(again.attempt, 2);
        await endAgain();
    });

    test('a paused job is skipped, although it is in the queue already', async () => {
        const prefix = randomUUID();
        const scheduler = await join(prefix, {}, { role: 'scheduler' });
        await add(scheduler, [runOf({})]);
        await scheduler.engine.pause('send-digests');
        const worker = await join(prefix, {}, { role: 'worker' });
        await until('a skip', async () => ended([worker]).some(({ reason }) => reason === 'paused'));
        assert.equal(worker.executing.size, 0);
    });

    test('a `commandTimeout` of the app does not end the wait of a worker for runs', async () => {
        const options = { host: '127.0.0.1', port: redis.port, password: PASSWORD, commandTimeout: 300 };
        const settings = new RedisSettings(options);
        const given: Record<string, unknown>[] = [];
        const made = settings.arguments.bind(settings);
        settings.arguments = (ours) => {
            const result = made(ours);
            given.push(result[0] as Record<string, unknown>);
            return result;
        };
        await join(randomUUID(), {}, { redis: settings });
        const timeouts = given.map(({ commandTimeout }) => commandTimeout);
        assert.deepEqual(timeouts, [5_000, undefined]);
    });

    test('a clock that differs from that of Redis is reported once', async () => {
        const one = await join(randomUUID(), {}, { role: 'scheduler' }, 12_000);
        const told = () => one.events.filter((event) => event.type === 'clock-differs');
        await until('a word of it', async () => told().length > 0);
        const by = told()[0]?.by ?? 0;
        assert.ok(by > 11_000 && by <= 12_000, `${by}`);
    });

    test('a database that Redis does not have is never taken for another one', async () => {
        const config = { host: '127.0.0.1', port: redis.port, password: PASSWORD, db: 99 };
        const lost = await join(randomUUID(), {}, { redis: new RedisSettings(config) });
        const away = await until('a complaint', async () =>
            lost.events.find((event) => event.type === 'redis-away'),
        );
        assert.match(inspect(away), /DB index is out of range/);
        for (let attempt = 0; attempt < 3; attempt++) {
            assert.equal(await add(lost, [runOf({ scheduledAt: SLOT + attempt })]), false);
            assert.equal(await lost.engine.claim(runOf({ manual: true }), true), 'no journal');
        }
        assert.ok(!lost.events.some((event) => event.type === 'redis-back'));
        await lost.engine.close();
    });

    test('a Redis that has its databases again is used again', async () => {
        const own = await startRedis(['--databases', '3']);
        const settings = new RedisSettings(`${own.url}/2`);
        const one = await join(randomUUID(), {}, { redis: settings });
        try {
            await own.stop();
            await own.start(['--databases', '1']);
            await until('a complaint', async () => inspect(one.events).includes('redis-away'));
            // Until it has been told why it cannot be used.
            await until('the reason', () =>
                one.engine.pause('job').then(
                    () => false,
                    (error) => /DB index/.test(error.message),
                ),
            );
            await own.stop();
            await own.start(['--databases', '3']);
            await until('it to be back', async () => inspect(one.events).includes('redis-back'));
            await until('a place in the queue', async () => add(one, [runOf({})]));
            const [[run, end]] = (await executed([one], 1)) as [[Run, () => Promise<void>]];
            await end();
            assert.equal(run.outcome, 'succeeded');
        } finally {
            await one.engine.close();
            await own.stop();
        }
    });

    test('TLS and a password pass through; a certificate that nobody vouches for is refused, and said', async () => {
        const { cert, private: key } = await certificate();
        const secured = await startRedis(['--requirepass', PASSWORD], { cert, key });
        try {
            const url = `rediss://:${PASSWORD}@localhost:${secured.port}`;
            const trusting = await join(
                randomUUID(),
                {},
                { redis: new RedisSettings({ url, tls: { ca: cert } }) },
            );
            await add(trusting, [runOf({})]);
            const [[run, end]] = (await executed([trusting], 1)) as [[Run, () => Promise<void>]];
            await end();
            assert.equal(run.outcome, 'succeeded');
            assert.ok(!inspect(trusting.events).includes(PASSWORD));

            const wary = await join(randomUUID(), {}, { redis: new RedisSettings(url) });
            const away = await until('a complaint', async () =>
                wary.events.find((event) => event.type === 'redis-away'),
            );
            assert.match(inspect(away), /self-signed certificate/);
            assert.ok(!inspect(wary.events).includes(PASSWORD));
            for (const { engine } of [trusting, wary]) await engine.close();
        } finally {
            await secured.stop();
        }
    });

    test('no password is told, neither a right nor a wrong one', async () => {
        const right = await join(randomUUID(), {}, { role: 'scheduler' });
        assert.doesNotMatch(
            inspect([right.engine, right.engine.description], { depth: 9, showHidden: true }),
            /hunter2/,
        );
        const wrong = new RedisSettings({ host: '127.0.0.1', port: redis.port, password: 'hunter2-wrong' });
        const other = await join(randomUUID(), {}, { redis: wrong });
        const [away] = other.events.filter((event) => event.type === 'redis-away');
        assert.match(inspect(away), /WRONGPASS/);
        const history = await other.engine.history({ environment: 'production', journal: DEFAULT_JOURNAL });
        const error = await history.pausedJobs().then(
            () => undefined,
            (cause: unknown) => cause,
        );
        assert.match(String(error), /cannot be read: Redis 127\.0\.0\.1:\d+: WRONGPASS/);
        assert.doesNotMatch(inspect([error, other.events], { depth: 9, showHidden: true }), /hunter2/);
    });
});

/** selfsigned's serial numbers may begin with a zero byte, which not every OpenSSL takes. */
const WHOLE_SERIAL = 18;

async function certificate(): Promise<{ cert: string; private: string }> {
    for (;;) {
        const attributes = [{ name: 'commonName', value: 'localhost' }];
        const made = await generate(attributes, { keyType: 'ec', algorithm: 'sha256' });
        if (new X509Certificate(made.cert).serialNumber.length === WHOLE_SERIAL) return made;
    }
}
