// Takes the pictures of the docs: of the example app, after it has run for some minutes. Needs chromium.
import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const MINUTES = Number(process.argv[2] ?? 4);
const HOST = '127.0.0.1:3997';
const app = fileURLToPath(new URL('../examples/app', import.meta.url));
const pictures = fileURLToPath(new URL('../docs/pictures', import.meta.url));

await mkdir(pictures, { recursive: true });
for (const suffix of ['', '-wal', '-shm']) await rm(`${app}/bot_pictures.db${suffix}`, { force: true });
const server = spawn(
    process.execPath,
    ['../../node_modules/.bin/pinstripe', 'start-server', '--host', HOST],
    {
        cwd: app,
        env: { ...process.env, BOT_JOURNAL: 'bot_pictures.db' },
        stdio: 'ignore',
    },
);
try {
    await delay(MINUTES * 60_000);
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: ['--no-sandbox'],
    });
    const take = async (name, path, { colorScheme = 'light', act } = {}) => {
        const page = await browser.newPage({ viewport: { width: 1200, height: 760 }, colorScheme });
        await page.goto(`http://${HOST}${path}`);
        await act?.(page);
        await delay(500);
        await page.screenshot({ path: `${pictures}/${name}.png` });
        await page.close();
    };
    await take('overview', '/bot');
    await take('overview_dark', '/bot', { colorScheme: 'dark' });
    await take('job', '/bot/jobs/resize-pictures');
    await take('run', '/bot/jobs/fetch-prices?outcome=failed', {
        act: async (page) => {
            await page.getByRole('region', { name: 'History' }).getByRole('link').first().click();
            await page.waitForSelector('pre');
        },
    });
    await take('timeline', '/bot/timeline');
    await take('processes', '/bot/processes');
    await take('check', '/bot/check');
    await browser.close();
} finally {
    server.kill('SIGTERM');
}
