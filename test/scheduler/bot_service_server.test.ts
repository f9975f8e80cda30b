import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AppProcess, freePort } from '../support/app_process.js';
import { createApp } from '../support/fixture_app.js';

// What the documentation of the bot service says about servers, each in a process of its own.

const START = `
        import './lib/index.js';
        import { importAll, Workspace } from 'pinstripe';
        await importAll();
    `;
const server = await createApp({
    'lib/background_jobs/heartbeat.js': `
            export default {
                meta(){ this.schedule('* * * * * *'); },
                run(){ console.log('heartbeat'); }
            };
        `,
    'lib/views/_file_importer.js': "export { View as default } from 'pinstripe';\n",
    'lib/views/index.js': `
            export default {
                async render(){
                    const { plans } = await this.bot.survey();
                    return this.renderHtml\`jobs: \${plans.length}\`;
                }
            };
        `,
    'lib/views/stop.js': `
            export default {
                async render(){
                    await this.bot.stop();
                    return this.renderHtml\`stopped\`;
                }
            };
        `,
    'start.js': `${START}
            await Workspace.run(async function(){
// The bot starts automatically when the server starts
// via the start-server command
await this.runCommand('start-server');
// Bot is now running and processing background jobs
            });
        `,
    'test_e2e.js': `${START}
            import { setTimeout as delay } from 'node:timers/promises';
            const fetchOnceItListens = url => fetch(url).catch(async () => {
                await delay(20);
                return fetchOnceItListens(url);
            });
            const words = process.argv.slice(2);
            const served = Workspace.run(async function(){ await this.runCommand('start-server', words); });
            const response = await fetchOnceItListens('http://' + process.env.PINSTRIPE_HOST);
            console.log('e2e:', words.join(' '), response.status, await response.text());
            process.kill(process.pid, 'SIGTERM');
            await served;
        `,
});
const manifest = JSON.parse(await readFile(join(server.root, 'package.json'), 'utf8'));
await server.write({
    'package.json': JSON.stringify({ ...manifest, scripts: { 'test:e2e': 'node test_e2e.js' } }),
});

async function serve(start: (host: string) => AppProcess) {
    const host = `127.0.0.1:${await freePort()}`;
    const child = start(host);
    const get = async (path: string) => (await fetch(`http://${host}${path}`)).text();
    return { child, get };
}

describe('Integration with Server', { concurrency: 3 }, () => {
    test('the bot starts with the server, and can be stopped independently of it', async () => {
        const { child, get } = await serve((host) => server.start(['start.js'], { PINSTRIPE_HOST: host }));
        await child.printed(/Pinstripe running at/);
        await child.printed(/bot started: 1 background job, 1 schedule/);
        await child.printed(/heartbeat/);
        assert.match(await get('/stop'), /stopped/);
        await child.printed(/bot stopped/);
        assert.match(await get('/'), /jobs: 1/);
        const { code, stderr } = await child.ended('SIGTERM');
        assert.equal(stderr, '');
        assert.equal(code, 0);
    });

    test('tests run without the interference of background jobs', async () => {
        const [command, ...words] = 'npm run test:e2e -- --without-bot'.split(' ') as [string, ...string[]];
        const { child } = await serve(
            (host) => new AppProcess(command, words, { cwd: server.root, env: { PINSTRIPE_HOST: host } }),
        );
        const { stdout } = await child.ended();
        assert.match(stdout, /e2e: --without-bot 200 .*jobs: 1/s);
        assert.doesNotMatch(stdout, /bot st|heartbeat/);
    });
});
