import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppProcess, freePort } from '../support/app_process.js';
import { PACKAGE } from '../support/pack.js';

test('npm start serves the example app, prints its runs, shows them on its page, and Ctrl-C ends it', async () => {
    const host = `127.0.0.1:${await freePort()}`;
    const npm = new AppProcess('npm', ['start'], {
        cwd: PACKAGE,
        env: { PINSTRIPE_HOST: host },
        ownGroup: true,
    });
    await npm.printed(/bot started: 5 background jobs, 6 schedules/);
    await npm.printed(/Pinstripe running at/);
    assert.match(npm.stdout, new RegExp(`Background jobs: http://${host}/bot\n[^]*Pinstripe running at`));
    await npm.printed(/visits in the last minute: \d+\n.*succeeded count-visits/);

    const response = await fetch(`http://${host}/`);
    assert.equal(response.status, 200);
    const page = await response.text();
    for (const text of ['0 6 * * *</code> Europe/London', 'send-invoices', 'fetch-prices', 'succeeded']) {
        assert.ok(page.includes(text), `no ${text} in ${page}`);
    }

    assert.match(page, /<a href="\/bot">/);
    const dashboard = await (await fetch(`http://${host}/bot`)).text();
    assert.match(dashboard, /resize-pictures/);

    const { code, stdout } = await npm.ended('SIGINT');
    assert.equal(code, 0);
    assert.match(stdout, /bot stopped\n/);
});
