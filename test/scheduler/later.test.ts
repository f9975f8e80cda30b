import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { job, startScenario } from '../support/scenario.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');

/** A bot with a job that notes its args. */
async function start() {
    const ran: unknown[][] = [];
    const welcome = job([], (...args) => void ran.push(args), { multiTenant: false });
    return { ran, scenario: await startScenario('2026-01-01T00:00:00Z', { welcome }) };
}

describe('enqueue()', () => {
    for (const [when, options] of [
        ['in 10 minutes', { in: '10m' }],
        ['in milliseconds', { in: 600_000 }],
        ['at a Date', { at: new Date(NOW + 600_000) }],
        ['at unix milliseconds', { at: NOW + 600_000 }],
        ['at a text', { at: '2026-01-01 00:10' }],
    ] as const)
        test(`runs a job once, ${when}, with its args, and answers with its id`, async () => {
            const { ran, scenario } = await start();
            const { bot, clock } = scenario;
            const id = await bot.enqueue('Welcome', { args: ['user-7', { deep: [1] }], ...options });
            await clock.advance(599_000);
            assert.deepEqual(ran, []);
            await clock.advance(3_600_000);
            assert.deepEqual(ran, [['user-7', { deep: [1] }]]);
            const [run] = scenario.runs;
            assert.deepEqual([run?.id, run?.manual, scenario.endings], [id, true, ['welcome succeeded']]);
            assert.ok((run?.startedAt ?? 0) <= NOW + 601_000);
        });

    test('runs all that wait for one moment, however many', async () => {
        const { ran, scenario } = await start();
        for (let user = 0; user < 120; user++)
            await scenario.bot.enqueue('welcome', { args: [user], in: '10s' });
        await scenario.clock.advance(12_000);
        assert.equal(ran.length, 120);
    });

    test('runs as soon as possible without a time, and a moment ago is now', async () => {
        const { ran, scenario } = await start();
        await scenario.bot.enqueue('welcome', { args: ['now'] });
        await scenario.bot.enqueue('welcome', { args: ['then'], at: NOW - 1_000 });
        await scenario.clock.advance(1_000);
        assert.deepEqual(ran.flat().sort(), ['now', 'then']);
    });

    test('has one run of a key wait; cancel() takes it away', async () => {
        const { ran, scenario } = await start();
        const { bot, clock } = scenario;
        const ask = (arg: number, more: object) => bot.enqueue('welcome', { args: [arg], in: '1m', ...more });
        const first = await ask(1, { key: 'user-7' });
        assert.equal(await ask(2, { key: 'user-7' }), first);
        assert.notEqual(await ask(3, { key: 'user-7', whenQueued: 'replace' }), first);
        const gone = await ask(4, {});
        const cancelled = [await bot.cancel(gone), await bot.cancel(gone), await bot.cancel('none')];
        assert.deepEqual(cancelled, [true, false, false]);
        await clock.advance(61_000);
        assert.deepEqual(ran, [[3]]);
    });

    const BAD: [options: object, message: RegExp][] = [
        [{ in: 'soon' }, /^in, "soon", is not a duration: write/],
        [{ in: -1 }, /^in, -1, is not a duration/],
        [{ in: '1m', at: NOW }, /^in and at exclude each other\.$/],
        [{ at: 'soon' }, /^at "soon" is not a time/],
        [{ at: NOW / 1000 }, /^at 1767225600 looks like unix seconds/],
        [{ at: NOW - 3_600_000 }, /^at 2025-12-31 23:00.* is past: it is 2026-01-01 00:00/],
        [{ at: Number.NaN }, /^at is not a time/],
        [{ at: {} }, /^at is neither a Date, nor/],
        [{ args: [new Date(0)] }, /args\[0\] is a Date: pass its toISOString\(\)/],
        [{ args: { user: 7 } as never }, /^args is not an array/],
        [{ args: 'user-7' as never }, /^args is not an array/],
        [null as never, /^the options of enqueue\(\) are not an object/],
        ['user-7' as never, /^the options of enqueue\(\) are not an object/],
        [{ key: '' }, /^key is not a text/],
        [{ key: 7 }, /^key is not a text/],
        [{ whenQueued: 'drop' }, /^whenQueued is neither/],
        [{ by: '' }, /^by is not a text/],
        [{ delay: '1m' }, /^"delay" is not an option of enqueue\(\)/],
        [{ tenant: 'acme' }, /runs for no tenant, and so not for "acme"/],
    ];
    test('refuses what it cannot do, in words, and records nothing', async () => {
        const { ran, scenario } = await start();
        const { bot, clock } = scenario;
        for (const [options, message] of BAD)
            await assert.rejects(bot.enqueue('welcome', options), { message }, JSON.stringify(options));
        await assert.rejects(bot.enqueue('welcom'), /did you mean "welcome"/);
        await clock.advance(5_000);
        assert.deepEqual(ran, []);
    });
});
