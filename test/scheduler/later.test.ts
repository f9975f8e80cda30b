import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createBot, openApp, openRegistry } from '../support/fixture_app.js';
import { ending } from '../support/jobs.js';

await openApp();
const { notes, register } = await openRegistry();
const { ManualClock } = await import('../../lib/time/manual_clock.js');
const { Workspace } = await import('../../lib/framework.js');

const NOW = Date.parse('2026-01-01T00:00:00Z');

await Workspace.run(async () => {});

async function startBot() {
    const clock = new ManualClock(NOW);
    const heard = await createBot({ clock });
    void heard.bot.start();
    await clock.advance(0);
    return { ...heard, clock };
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
            register('welcome', [], (...args) => void notes.push(args));
            const { bot, clock, eventsOf } = await startBot();
            const id = await bot.enqueue('Welcome', { args: ['user-7', { deep: [1] }], ...options });
            await clock.advance(599_000);
            assert.deepEqual(notes, []);
            await clock.advance(2_000);
            assert.deepEqual(notes, [['user-7', { deep: [1] }]]);
            const [{ run } = { run: undefined }] = eventsOf('run-ended');
            assert.deepEqual([run?.id, run?.manual, run && ending(run)], [id, true, 'welcome succeeded']);
            await clock.advance(3_600_000);
            assert.equal(notes.length, 1);
            await bot.stop();
        });

    test('runs as soon as possible without a time, and a moment ago is now', async () => {
        register('welcome', [], (arg) => void notes.push(arg));
        const { bot, clock } = await startBot();
        await bot.enqueue('welcome', { args: ['now'] });
        await bot.enqueue('welcome', { args: ['then'], at: NOW - 1_000 });
        await clock.advance(1_000);
        assert.deepEqual(notes.sort(), ['now', 'then']);
        await bot.stop();
    });

    test('has one run of a key wait; cancel() takes it away', async () => {
        register('welcome', [], (arg) => void notes.push(arg));
        const { bot, clock } = await startBot();
        const first = await bot.enqueue('welcome', { args: [1], in: '1m', key: 'user-7' });
        assert.equal(await bot.enqueue('welcome', { args: [2], in: '1m', key: 'user-7' }), first);
        const third = await bot.enqueue('welcome', {
            args: [3],
            in: '1m',
            key: 'user-7',
            whenQueued: 'replace',
        });
        assert.notEqual(third, first);
        const gone = await bot.enqueue('welcome', { args: [4], in: '1m' });
        assert.deepEqual(
            [await bot.cancel(gone), await bot.cancel(gone), await bot.cancel('none')],
            [true, false, false],
        );
        await clock.advance(61_000);
        assert.deepEqual(notes, [3]);
        await bot.stop();
    });

    const BAD: [options: object, message: RegExp][] = [
        [{ in: 'soon' }, /^in, "soon", is not a duration: write/],
        [{ in: -1 }, /^in, -1, is not a duration/],
        [{ in: '1m', at: NOW }, /^in and at exclude each other\.$/],
        [{ at: 'soon' }, /^at "soon" is not a time/],
        [{ at: NOW / 1000 }, /^at 1767225600 looks like unix seconds/],
        [{ at: NOW - 3_600_000 }, /^at 2025-12-31 23:00.* is past: it is 2026-01-01 00:00/],
        [{ at: Number.NaN }, /^at is no time/],
        [{ at: {} }, /^at is neither a Date, nor/],
        [{ args: [new Date(0)] }, /args\[0\] is a Date: pass its toISOString\(\)/],
        [{ key: '' }, /^key is not a text/],
        [{ key: 7 }, /^key is not a text/],
        [{ whenQueued: 'drop' }, /^whenQueued is neither/],
        [{ by: '' }, /^by is not a text/],
        [{ delay: '1m' }, /^"delay" is no option of enqueue\(\)/],
        [{ tenant: 'acme' }, /runs for no tenant, and so not for "acme"/],
    ];
    test('refuses what it cannot do, in words, and records nothing', async () => {
        register('welcome', [], () => void notes.push('ran'));
        const { bot, clock } = await startBot();
        for (const [options, message] of BAD)
            await assert.rejects(bot.enqueue('welcome', options), { message }, JSON.stringify(options));
        await assert.rejects(bot.enqueue('welcom'), /did you mean "welcome"/);
        await clock.advance(5_000);
        assert.deepEqual(notes, []);
        await bot.stop();
    });
});
