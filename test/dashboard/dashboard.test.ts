import assert from 'node:assert/strict';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { before, describe, test } from 'node:test';
import { createApp } from '../support/fixture_app.js';
import { freePort } from '../support/free_port.js';
import { backgroundJobs, type InstalledApp, makeApp, type Server } from '../support/installed_app.js';
import { assertShape } from '../support/json_schema.js';
import { skipWithoutRedis, startRedis } from '../support/redis_server.js';

const CONFIG = `export default {
    bot: {
        timezone: 'UTC',
        dashboard: {
            none: undefined,
            login: { username: 'ada', password: 'secret:word' },
            role: { authorize(){ return this.initialParams._headers['x-role']; }, hideArgs: ['password'] },
            throws: { authorize(){ throw new Error('who knows'); } },
            elsewhere: { path: 'admin/jobs' },
            left: false,
        }[process.env.DASHBOARD ?? 'none'],
    },
};`;

const HOSTILE = `</title><script>alert(1)</script>"'<img src=x onerror=alert(2)>`;

const FILES = {
    'pinstripe.config.js': CONFIG,
    ...backgroundJobs({
        yearly: `export default {
            description: ${JSON.stringify(HOSTILE)},
            meta(){ this.schedule('0 0 1 1 *', { password: 'hunter2', user: 'ada' }); },
            run(){ throw new Error(${JSON.stringify(HOSTILE)}); },
        };`,
    }),
};

interface Answer {
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
    readonly text: string;
}

/** Asks as no browser does: with any headers. */
function ask(
    { port }: Pick<Server, 'port'>,
    path: string,
    headers: OutgoingHttpHeaders = {},
    form?: object,
): Promise<Answer> {
    return new Promise((resolve, reject) => {
        const method = form ? 'POST' : 'GET';
        const type = form ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
        const options = { host: '127.0.0.1', port, path, method, headers: { ...type, ...headers } };
        const asking = request(options, (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('end', () => {
                const text = Buffer.concat(chunks).toString();
                resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
            });
        });
        asking.on('error', reject);
        asking.end(form && new URLSearchParams(Object.entries(form)).toString());
    });
}

const login = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

describe('the dashboard', () => {
    let app: InstalledApp;
    before(async () => {
        app = await makeApp(FILES);
    });
    const serve = async (env: Record<string, string>) => {
        const server = await app.serve({ env: { NODE_ENV: 'development', ...env } });
        await server.process.printed(/bot started/);
        return server;
    };
    const PAGES = ['/bot', '/bot.json', '/bot/jobs/yearly', '/bot/timeline', '/bot/processes', '/bot/check'];

    test('is open in development to whoever asks from this machine, and nobody else', async () => {
        const server = await serve({});
        for (const path of PAGES) assert.equal((await ask(server, path)).status, 200, path);
        for (const host of ['localhost', 'app.localhost:3000', '127.1.2.3', '[::1]:80'])
            assert.equal((await ask(server, '/bot', { host })).status, 200, host);
        for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1'])
            assert.equal((await ask(server, '/bot', { host })).status, 404, host);
        for (const header of ['x-forwarded-for', 'x-forwarded-host', 'forwarded', 'x-real-ip'])
            assert.equal((await ask(server, '/bot', { [header]: '127.0.0.1' })).status, 404, header);
    });

    test('is nowhere in production until the config says who may see it, nor where it is left out', async () => {
        const production = await serve({ NODE_ENV: 'production' });
        for (const path of [...PAGES, '/bot/assets/x/page.js'])
            assert.equal((await ask(production, path)).status, 404, path);
        const post = await ask(
            production,
            '/bot/jobs/yearly',
            { 'sec-fetch-site': 'same-origin' },
            { action: 'pause' },
        );
        assert.equal(post.status, 404);
        assert.equal((await ask(await serve({ DASHBOARD: 'left' }), '/bot')).status, 404);
    });

    test('takes a name and a password, in production, too', async () => {
        const server = await serve({ NODE_ENV: 'production', DASHBOARD: 'login' });
        for (const headers of [
            {},
            login('ada:wrong'),
            login('bob:secret:word'),
            login(''),
            { authorization: 'Bearer x' },
        ]) {
            const { status, headers: answered } = await ask(server, '/bot', headers);
            assert.equal(status, 401);
            assert.match(String(answered['www-authenticate']), /^Basic /);
        }
        const same = { 'sec-fetch-site': 'same-origin' };
        assert.equal((await ask(server, '/bot/jobs/yearly', same, { action: 'pause' })).status, 401);
        const right = login('ada:secret:word');
        assert.equal((await ask(server, '/bot', right)).status, 200);
        assert.equal(
            (await ask(server, '/bot/jobs/yearly', { ...right, ...same }, { action: 'pause' })).status,
            303,
        );
    });

    test('lets the app decide: all, read, or nothing; what throws is nothing', async () => {
        const server = await serve({ NODE_ENV: 'production', DASHBOARD: 'role' });
        const same = { 'sec-fetch-site': 'same-origin' };
        const pause = (role: string) =>
            ask(server, '/bot/jobs/yearly', { 'x-role': role, ...same }, { action: 'pause' });
        assert.equal((await ask(server, '/bot', { 'x-role': 'nobody' })).status, 404);
        assert.equal((await pause('nobody')).status, 404);
        const reader = await ask(server, '/bot', { 'x-role': 'read' });
        assert.equal(reader.status, 200);
        assert.doesNotMatch(reader.text, /<form[^>]*method="post"/);
        assert.equal((await pause('read')).status, 403);
        assert.match(
            (await ask(server, '/bot', { 'x-role': 'all' })).text,
            /aria-label="(Pause|Resume) yearly"/,
        );
        assert.equal((await pause('all')).status, 303);
        assert.match((await ask(server, '/bot', { 'x-role': 'read' })).text, /badge paused/);
        for (const path of ['/bot', '/bot/jobs/yearly', '/bot.json', '/bot/jobs/yearly.json']) {
            const { text } = await ask(server, path, { 'x-role': 'all' });
            assert.doesNotMatch(text, /hunter2/, path);
            assert.match(text, /\(hidden\)/, path);
        }
        const broken = await serve({ NODE_ENV: 'production', DASHBOARD: 'throws' });
        assert.equal((await ask(broken, '/bot')).status, 404);
        await broken.process.printed(/bot.dashboard.authorize threw: Error: who knows/);
    });

    test('takes actions from its own pages alone', async () => {
        const server = await serve({ DASHBOARD: 'elsewhere' });
        const pause = (headers: OutgoingHttpHeaders) =>
            ask(server, '/admin/jobs/jobs/yearly', headers, { action: 'pause' });
        const origin = `http://127.0.0.1:${server.port}`;
        for (const headers of [
            {},
            { origin: 'http://evil.example' },
            { origin: 'null' },
            { 'sec-fetch-site': 'cross-site', origin },
            { 'sec-fetch-site': 'same-site', origin },
            { 'sec-fetch-site': 'none' },
        ])
            assert.equal((await pause(headers)).status, 403, JSON.stringify(headers));
        assert.doesNotMatch((await ask(server, '/admin/jobs')).text, /badge paused/);
        assert.equal((await pause({ origin })).status, 303);
        assert.match((await ask(server, '/admin/jobs')).text, /badge paused/);
        assert.equal((await ask(server, '/bot')).status, 404);
    });

    test('escapes whatever a job says, sends no scripts of others, and is kept by nobody', async () => {
        const server = await serve({});
        const same = { 'sec-fetch-site': 'same-origin' };
        const { headers: ran } = await ask(server, '/bot/jobs/yearly', same, {
            action: 'run',
            args: '["<b>"]',
        });
        const run = String(ran.location);
        assert.match(run, /^\/bot\/jobs\/yearly\/runs\/[\w-]+$/);
        await server.process.printed(/failed.* yearly/);
        assertShape('run-page', JSON.parse((await ask(server, `${run}.json`)).text));
        for (const path of ['/bot', '/bot/jobs/yearly', run, `/bot?q=${encodeURIComponent(HOSTILE)}`]) {
            const { text, headers } = await ask(server, path);
            assert.doesNotMatch(text, /<script>|<img|<b>|style="/, path);
            assert.match(
                String(headers['content-security-policy']),
                /^default-src 'none'; .*frame-ancestors 'none'$/,
            );
            assert.equal(headers['cache-control'], 'no-store');
        }
        for (const [form, complaint] of [
            [{ action: 'run', args: '{' }, /JSON/],
            [{ action: 'run', args: '{}' }, /Args {} is not a JSON array/],
            [{ action: 'run', tenant: 'x' }, /runs for no tenant/],
            [{ action: 'run', slot: 'soon' }, /soon/],
            [{ action: 'boil' }, /no such action/],
        ] as const) {
            const { status, text } = await ask(server, '/bot/jobs/yearly', same, form);
            assert.equal(status, 422, text);
            assert.match(text, complaint);
            assert.match(text, /<a href="\/bot\/jobs\/yearly">Back to the job<\/a>/);
        }
    });

    test('gives the same as JSON, answers 304 while nothing is new, and has its files for good', async () => {
        const server = await serve({});
        const json = await ask(server, '/bot', { accept: 'application/json' });
        assert.match(String(json.headers['content-type']), /^application\/json/);
        const { version, jobs } = JSON.parse(json.text);
        assert.deepEqual([version, jobs[0].name, jobs[0].state], [1, 'yearly', jobs[0].state]);
        assert.equal((await ask(server, '/bot.json')).text, json.text);
        for (const [path, shape] of Object.entries({
            '': 'list-background-jobs',
            '/jobs/yearly': 'show-background-job',
            '/check': 'check-background-jobs',
            '/timeline': 'timeline',
            '/processes': 'processes',
        }))
            assertShape(shape, JSON.parse((await ask(server, `/bot${path}.json`)).text));
        const same = { 'sec-fetch-site': 'same-origin', accept: 'application/json' };
        for (const refused of [
            await ask(server, '/bot/nothing.json'),
            await ask(server, '/bot/jobs/nothing', { accept: 'application/json' }),
            await ask(server, '/bot/jobs/yearly', same, { action: 'boil' }),
            await ask(
                server,
                '/bot/jobs/yearly',
                { ...same, 'sec-fetch-site': 'cross-site' },
                { action: 'pause' },
            ),
        ]) {
            const refusal = JSON.parse(refused.text);
            assertShape('refusal', refusal);
            assert.equal(refusal.status, refused.status);
        }

        const page = await ask(server, '/bot');
        const again = await ask(server, '/bot', { 'if-none-match': String(page.headers.etag) });
        assert.deepEqual([again.status, again.text], [304, '']);
        const paths = page.text.match(/\/bot\/assets\/[^"]+/g) ?? [];
        assert.equal(paths.length, 2);
        for (const path of [...paths, String(paths[1]).replace('page.js', 'idiomorph.js')]) {
            const asset = await ask(server, path);
            assert.equal(asset.status, 200, path);
            assert.match(String(asset.headers['cache-control']), /immutable/);
        }
    });

    test('says that its store is away, and is itself again when that is back', {
        skip: skipWithoutRedis,
    }, async () => {
        const redis = await startRedis();
        const bot = { engine: 'bullmq', redis: redis.url };
        // The packed package brings no bullmq: this app has the checkout's.
        const app = await createApp({
            'pinstripe.config.js': `export default { bot: ${JSON.stringify(bot)} };`,
        });
        const port = await freePort();
        const host = `127.0.0.1:${port}`;
        const server = app.start(['node_modules/pinstripe/cli.js', 'start-server', '--host', host]);
        await server.printed(/bot started/);
        await redis.stop();
        await server.printed(/cannot be used/);
        const away = await ask({ port }, '/bot');
        assert.equal(away.status, 503);
        assert.match(away.text, /<h1>The history cannot be read<\/h1>.*Redis 127\.0\.0\.1:\d+: \w/s);
        await redis.start();
        await server.printed(/can be used again/);
        assert.equal((await ask({ port }, '/bot')).status, 200);
        await redis.stop();
    });
});
