import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBot, openApp, openRegistry } from '../support/fixture_app.js';

await openApp();
const { register } = await openRegistry();
const { overviewPage } = await import('../../lib/dashboard/overview_page.js');
const { Workspace } = await import('../../lib/framework.js');
const { ManualClock } = await import('../../lib/time/manual_clock.js');

// The first one takes its time.
await Workspace.run(async () => {});

/** The overview as it is now, as text. */
async function overviewOf(bot: Awaited<ReturnType<typeof createBot>>['bot'], now: number): Promise<string> {
    const history = await bot.history();
    const from = { root: '/app', base: '/bot', path: '', isJson: false, query: {}, hideArgs: [] };
    const request = { ...from, bot, history, survey: await bot.survey(), mayAct: true, by: undefined, now };
    return (await overviewPage(request)).body.text;
}

test('behind slots that were skipped since, a run that failed, or goes on, is still seen', async () => {
    const clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'));
    const last = (seconds: number) =>
        new Promise<void>((resolve) => void clock.after(seconds * 1000, resolve));
    let runs = 0;
    register('goes-on', '*/10 * * * * *', () => last(3_600));
    register('has-failed', '*/10 * * * * *', async () => {
        assert.notEqual(++runs, 1, 'no paper');
        await last(3_600);
    });
    const { bot } = await createBot({ clock });
    void bot.start();
    await clock.advance(0);
    await bot.resumeBackgroundJob();
    await clock.advance(60_000);
    const text = await overviewOf(bot, clock.now());
    assert.equal(text.match(/class="badge running"/g)?.length, 2);
    assert.match(text, /class="badge failed">failed<\/span> <a [^>]*>has-failed<\/a>.*no paper/);
    const stopped = bot.stop();
    await clock.advance(3_600_000);
    await stopped;
});
