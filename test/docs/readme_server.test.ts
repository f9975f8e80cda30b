import assert from 'node:assert/strict';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fs from 'fs-extra';
import { runtimeOf } from '../../lib/scheduler/bot.js';
import { ManualClock } from '../../lib/time/manual_clock.js';
import { blocksOf, normalise } from '../support/console_page.js';
import { createBot, loadApp, openAppWithDatabase, within } from '../support/fixture_app.js';
import { PACKAGE } from '../support/pack.js';

const { app } = await openAppWithDatabase('');
await fs.copy(join(PACKAGE, 'examples/app'), app.root, { filter: (path) => !path.includes('.db') });
await loadApp(app);

/** What the server itself prints, the keys, and the days that only a pipe sees: not what the bot has to do with. */
const withoutServer = (text: string) =>
    text
        .replace(/^(Background jobs: .*|Pinstripe running at .*|\^C)\n/gm, '')
        .replace(/^\d{4}-\d\d-\d\d (?=\d\d:)/gm, '');

test('the server in the README prints what the example app prints in ten seconds', async () => {
    const page = await fs.readFile(join(PACKAGE, 'README.md'), 'utf8');
    const sessions = blocksOf(page).flat();
    const session = sessions.find(({ command }) => command.endsWith('start-server'));
    const printed: string[] = [];
    const print = (text: string) => void printed.push(text);
    mock.method(console, 'log', print);
    mock.method(console, 'error', print);
    const settled = async () => {
        while (!runtimeOf(bot).isIdle) await nextTurn();
    };
    const clock = new ManualClock('2026-11-23T22:17:19Z', settled);
    const { bot, heard } = await createBot({
        clock,
        environment: 'development',
        random: () => 0.8,
        config: { log: 'pretty', stopTimeout: '5s' },
    });
    const ended = bot.start();
    await heard('bot-started');
    await runtimeOf(bot).life?.begun;
    await clock.advance(11_500);
    void bot.stop();
    await within(ended, 'the end');
    mock.restoreAll();
    const output = printed
        .join('\n')
        .replaceAll(app.root, '/app')
        // Where the package is installed, its own part of a stack is left out.
        .replace(/^ +at (?!.*\/app\/).*\n/gm, '');
    assert.equal(normalise(withoutServer(output)), normalise(withoutServer(session?.output ?? '')));
});
