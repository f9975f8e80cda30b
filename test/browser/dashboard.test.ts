import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { createApp } from '../support/fixture_app.js';
import { freePort } from '../support/free_port.js';
import { backgroundJobs, makeApp, type Server } from '../support/installed_app.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis_server.js';

const HOSTILE = `</title><script>alert(1)</script>"'<i>&`;

const JOBS = backgroundJobs({
    yearly: `export default {
        description: 'Happy new year',
        meta(){ this.schedule('0 0 1 1 *'); },
        run(){},
    };`,
    fails: `export default { run(){ throw new Error('<b>it</b> is broken'); } };`,
    often: `export default { meta(){ this.schedule('* * * * * *'); }, run(){} };`,
    slow: `export default {
        run(){ console.log('<i>at</i> work'); return new Promise((_, reject) => this.signal.addEventListener('abort', () => reject(this.signal.reason))); },
    };`,
    hostile: `export default { description: ${JSON.stringify(HOSTILE)}, run(){} };`,
});

const files = (bot: object) => ({
    ...JOBS,
    'pinstripe.config.js': `export default { bot: ${JSON.stringify({ timezone: 'UTC', ...bot })} };`,
});

let browser: Browser;
before(async () => {
    const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
});
after(() => browser.close());

/** Opens a page that may ask nobody but the server, and on which no script may fail. */
async function open({ port }: Server, path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ baseURL: `http://127.0.0.1:${port}`, ...options });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    page.on('request', (request) => {
        const url = new URL(request.url());
        assert.ok(url.protocol === 'data:' || url.port === String(port), `it asks for ${url}`);
    });
    page.on('pageerror', (error) => assert.fail(error));
    page.on('console', (message) => {
        if (/Content.Security.Policy/i.test(message.text())) assert.fail(message.text());
    });
    const response = await page.goto(path);
    assert.equal(response?.status(), 200, String(await page.textContent('main')));
    return page;
}

async function checkAccess(page: Page): Promise<void> {
    // Its relative times are texts in shadow roots, as it has them.
    const { violations } = await new AxeBuilder({ page }).analyze();
    assert.deepEqual(
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
        [],
        page.url(),
    );
}

function testEngine(name: string, createServer: () => Promise<Server>): void {
    describe(`with the engine ${name}`, () => {
        let server: Server;
        before(async () => {
            server = await createServer();
            await server.process.printed(/bot started/);
        });

        test('an overview updates by itself; a job is run, paused and resumed from it', async () => {
            const page = await open(server, '/bot');
            const row = page.locator('.job', { hasText: 'Happy new year' });
            await page.getByRole('button', { name: 'Run yearly now' }).click();
            await row.locator('.badge.succeeded').waitFor();
            await page.getByRole('button', { name: 'Pause yearly' }).click();
            await row.locator('.badge.paused').waitFor();
            await page.locator('.attention', { hasText: 'yearly' }).waitFor();
            await page.getByRole('button', { name: 'Resume yearly' }).click();
            await page.getByRole('button', { name: 'Pause yearly' }).waitFor();

            // What another page does is seen here, without any doing.
            await page.evaluate(() => Object.assign(globalThis, { isSame: true }));
            const other = await open(server, '/bot');
            await other.getByRole('button', { name: 'Run fails now' }).click();
            await page.locator('.attention', { hasText: '<b>it</b> is broken' }).waitFor();
            assert.equal(await page.evaluate(() => Reflect.get(globalThis, 'isSame')), true);
            const bars = page.locator('.job', { hasText: 'often' }).locator('rect');
            assert.ok((await bars.count()) > 0);
        });

        test('search, filters and sort narrow the rows, as one types', async () => {
            const page = await open(server, '/bot');
            await page.getByRole('searchbox').pressSequentially('happy');
            await page.locator('.job', { hasText: 'often' }).waitFor({ state: 'detached' });
            assert.equal(await page.locator('.job').count(), 1);
            assert.match(page.url(), /q=happy/);
            await page.goto('/bot?state=unscheduled&sort=next');
            assert.deepEqual((await page.locator('.job h3').allTextContents()).sort(), [
                'fails',
                'hostile',
                'slow',
            ]);
        });

        test('a job has its history, its errors and its slots; a run its error; it is run again, and aborted', async () => {
            const page = await open(server, '/bot/jobs/fails');
            await page.getByLabel('Args').fill('["x", { "y": 1 }]');
            await page.getByRole('button', { name: 'Run fails now' }).click();
            await page.locator('h1 .badge.failed').waitFor();
            assert.match((await page.locator('.facts').textContent()) ?? '', /\["x",\{"y":1\}\]/);
            assert.match(
                (await page.locator('pre.app').textContent()) ?? '',
                /^at .*lib\/background_jobs\/fails\.js/,
            );
            const before = page.url();
            await page.getByRole('button', { name: 'Run again' }).click();
            await page.waitForURL((url) => url.href !== before);
            await page.locator('h1 .badge.failed').waitFor();
            await page.goto('/bot/jobs/fails?outcome=failed');
            assert.match((await page.locator('main').textContent()) ?? '', /\d+\s×/);

            await page.goto('/bot/jobs/yearly');
            await page.getByLabel('Reason').fill('no paper');
            await page.keyboard.press('Enter');
            await page.locator('.lead', { hasText: 'no paper' }).waitFor();
            await page.getByRole('button', { name: 'Resume yearly' }).click();

            await page.goto('/bot/jobs/slow');
            await page.getByRole('button', { name: 'Run slow now' }).click();
            await page.locator('h1 .badge.running').waitFor();
            assert.equal((await page.locator('.output').textContent())?.trim(), '<i>at</i> work');
            await page.getByRole('button', { name: 'Abort slow' }).click();
            await page.locator('h1 .badge.aborted').waitFor();
        });

        test('every page is fit for all: names, contrast, light and dark, a narrow screen', async () => {
            const narrow = await open(server, '/bot', { viewport: { width: 390, height: 800 } });
            const paths = [
                '/bot',
                '/bot/jobs/fails',
                '/bot/jobs/hostile',
                '/bot/timeline',
                '/bot/processes',
                '/bot/check',
            ];
            for (const path of paths) {
                await narrow.goto(path);
                for (const colorScheme of ['light', 'dark'] as const) {
                    await narrow.emulateMedia({ colorScheme });
                    await checkAccess(narrow);
                }
                const width = await narrow.evaluate(
                    () => Reflect.get(globalThis, 'document').documentElement.scrollWidth,
                );
                assert.ok(width <= 390, `${path} is ${width} wide`);
            }
            const page = await open(server, '/bot/jobs/hostile');
            assert.match(
                (await page.locator('.lead').textContent()) ?? '',
                /<\/title><script>alert\(1\)<\/script>"'<i>&/,
            );
            await page.goto('/bot/jobs/fails');
            await page.getByRole('table').first().locator('a').first().click();
            await page.locator('h1 .badge').waitFor();
            await checkAccess(page);
        });

        test('all of it works without scripts', async () => {
            const page = await open(server, '/bot', { javaScriptEnabled: false });
            await page.getByRole('button', { name: 'Pause often' }).click();
            assert.equal(await page.getByRole('button', { name: 'Resume often' }).count(), 1);
            await page.getByRole('button', { name: 'Resume often' }).click();
            await page.getByRole('searchbox').fill('often');
            await page.getByRole('button', { name: 'Show' }).click();
            assert.equal(await page.locator('.job').count(), 1);
        });
    });
}

testEngine('embedded', async () => (await makeApp(files({}))).serve());

describe('on a Redis', { skip: skipWithoutRedis }, () => {
    let redis: RedisServer;
    after(() => redis.stop());
    testEngine('bullmq', async () => {
        redis = await startRedis();
        const { port } = redis;
        // The packed package brings no bullmq: an app installs that for itself, and this one has the checkout's.
        const app = await createApp(files({ engine: 'bullmq', redis: `redis://127.0.0.1:${port}` }));
        const free = await freePort();
        const args = ['node_modules/pinstripe/cli.js', 'start-server', '--host', `127.0.0.1:${free}`];
        const process = app.start(args);
        return { process, port: free, get: (path) => fetch(`http://127.0.0.1:${free}${path}`) };
    });
});

test('500 jobs stay usable', async () => {
    const register = `import { BackgroundJob } from 'pinstripe-bot';
        for (let index = 0; index < 500; index++)
            BackgroundJob.register('job-' + index, { meta(){ this.schedule('* * * * *'); }, run(){} });
        export default { run(){} };`;
    const app = await makeApp({ ...backgroundJobs({ many: register }) });
    const server = await app.serve();
    await server.process.printed(/bot started/);
    const page = await open(server, '/bot');
    await page.getByRole('searchbox').pressSequentially('job-499');
    await page.locator('.job', { hasText: 'job-1' }).first().waitFor({ state: 'detached' });
    assert.equal(await page.locator('.job').count(), 1);
    await page.goto('/bot?from=400');
    assert.equal(await page.locator('.job').count(), 100);
});
