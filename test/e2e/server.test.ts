import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BINARIES, backgroundJobs, makeApp } from '../support/installed_app.js';

const EVERY_SECOND = backgroundJobs({
    every_second: `export default {
        meta(){ this.schedule('* * * * * *', 'hourly', { deep: true }); },
        run(...args){
            console.log('ran ' + JSON.stringify({ now: Date.now(), slot: this.currentRun.scheduledAt, args }));
        }
    };`,
});

describe('start-server', { concurrency: 3 }, () => {
    for (const binary of BINARIES) {
        test(`of ${binary} serves, and runs a job at each of its slots, never before`, async () => {
            const app = await makeApp(EVERY_SECOND);
            const { process: server, get } = await app.serve({ binary });
            await server.printed(/bot started: 1 background job, 1 schedule, next slot /);
            assert.equal((await get('/up')).status, 200);
            const runs = (await server.printedTimes(/^ran (.*)$/gm, 3)).map(([, json]) =>
                JSON.parse(json ?? ''),
            );
            for (const { now, slot, args } of runs) {
                assert.ok(now >= slot * 1000, `started ${slot * 1000 - now} ms before its slot`);
                assert.deepEqual(args, ['hourly', { deep: true }]);
            }
            const slots = runs.map(({ slot }) => slot);
            assert.deepEqual(slots, [...new Set(slots)].sort());
            const { code, stdout, stderr } = await server.ended('SIGTERM');
            assert.deepEqual([code, stderr], [0, '']);
            assert.match(stdout, /succeeded every-second[\s\S]*bot stopped\n$/);
        });
    }

    test('starts no bot with --without-bot, unless false is its value, nor under bot: false', async () => {
        const app = await makeApp(EVERY_SECOND);
        const config = { 'pinstripe.config.js': 'export default { bot: false };' };
        const off = await (await makeApp({ ...EVERY_SECOND, ...config })).serve();
        const without = await app.serve({ args: ['--without-bot'] });
        // Nobody runs the jobs there, nor elsewhere.
        assert.equal((await without.get('/up')).status, 503);
        await without.process.printed(/unhealthy \/up answers 503: no process has run the jobs yet/);
        const withBot = await app.serve({ args: ['--without-bot', 'false', '--without-jobs'] });
        // Both are up: by the time that one bot has run two slots, the other would have run one.
        await withBot.process.printedTimes(/^ran /gm, 2);
        for (const { get } of [withBot, without]) assert.equal((await get('/up')).status, 200);
        await without.process.printed(/healthy again, after/);
        assert.equal((await off.get('/up')).status, 503);
        for (const { process } of [without, withBot, off])
            assert.equal((await process.ended('SIGTERM')).code, 0);
        for (const { process } of [without, off]) assert.doesNotMatch(process.output, /bot started|^ran /m);
    });

    test('has one bot, which every request, job and workspace shares, and which can be stopped without it', async () => {
        const app = await makeApp({
            ...backgroundJobs({
                note: `export default {
                    meta(){ this.schedule('* * * * * *'); },
                    run(){ globalThis.seen = this.bot; console.log('noted'); }
                };`,
            }),
            'lib/views/_file_importer.js': "export { View as default } from 'pinstripe';",
            'lib/views/bots.js': `
                import { Workspace } from 'pinstripe';
                const bots = [];
                export default {
                    async render(){
                        bots.push(globalThis.seen, this.bot, await Workspace.run(function(){ return [this.bot]; }).then(([bot]) => bot));
                        return this.renderJson({ bots: bots.length, different: new Set(bots.map(bot => bot.start())).size });
                    }
                };`,
            'lib/views/stop.js': `export default {
                async render(){ await this.bot.stop(); return this.renderJson({ isStopped: true }); }
            };`,
        });
        const { process: server, get } = await app.serve();
        await server.printed(/^noted$/m);
        assert.deepEqual(await (await get('/bots')).json(), { bots: 3, different: 1 });
        assert.deepEqual(await (await get('/bots')).json(), { bots: 6, different: 1 });
        assert.deepEqual(await (await get('/stop')).json(), { isStopped: true });
        await server.printed(/bot stopped/);
        assert.equal((await server.ended('SIGTERM')).code, 0);
    });

    const orders = {
        'after pinstripe':
            "import { importAll } from 'pinstripe';\nimport 'pinstripe-bot';\nimportAll(import.meta.url);",
        'after importAll':
            "import { importAll } from 'pinstripe';\nimportAll(import.meta.url);\nawait import('pinstripe-bot');",
    };
    for (const [order, entry] of Object.entries(orders)) {
        test(`runs the bot where the app imports the package ${order}`, async () => {
            const app = await makeApp({ ...EVERY_SECOND, 'lib/index.js': entry });
            const { process: server } = await app.serve();
            await server.printed(/^ran /m);
            assert.equal((await server.ended('SIGTERM')).code, 0);
        });
    }
});
