import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppProcess, freePort } from '../support/app_process.js';
import { backgroundJobs, makeApp } from '../support/installed_app.js';

const JOB = 'lib/background_jobs/greet.js';

/** Greets each second, and says when it has ended. */
const greeting = (name: string) => `
    import { setTimeout } from 'node:timers/promises';
    export default {
        meta(){ this.schedule('* * * * * *'); },
        async run(){
            const { scheduledAt } = this.currentRun;
            console.log(\`hello ${name} \${scheduledAt}\`);
            await setTimeout(600);
            console.log(\`bye ${name} \${scheduledAt}\`);
        }
    };`;

test("an app's own command that runs start-server goes on at SIGTERM, and can wait for runs in flight", async () => {
    const app = await makeApp({
        ...backgroundJobs({ greet: greeting('Ada') }),
        'lib/commands/_file_importer.js': "export { Command as default } from 'pinstripe';\n",
        'lib/commands/serve.js': `export default {
            async run(){
                await this.runCommand('start-server', { host: '127.0.0.1:${await freePort()}' });
                console.log('told to stop');
                await this.bot.stop();
                console.log('cleaned up');
            }
        };`,
    });
    const server = app.start('pinstripe', ['serve']);
    await server.printed(/^hello Ada /m);
    const { code, stdout } = await server.ended('SIGTERM');
    assert.equal(code, 0);
    assert.match(
        stdout,
        /hello Ada (\d+)\n[\s\S]*told to stop\nbye Ada \1\n[\s\S]*bot stopped\ncleaned up\n$/,
    );
});

test('node --watch picks up an edited job, ends the run in flight, and leaves one schedule after several edits', async () => {
    const app = await makeApp(backgroundJobs({ greet: greeting('Ada') }));
    const pinstripe = join(app.root, 'node_modules/.bin/pinstripe');
    const host = `127.0.0.1:${await freePort()}`;
    const server = new AppProcess(
        process.execPath,
        ['--watch', '--watch-preserve-output', pinstripe, 'start-server', '--host', host],
        { cwd: app.root, ownGroup: true },
    );
    for (const [before, name] of [
        ['Ada', 'Bob'],
        ['Bob', 'Cleo'],
    ] as const) {
        await server.printed(new RegExp(`^hello ${before} `, 'm'));
        await app.write({ [JOB]: greeting(name) });
        await server.printed(new RegExp(`^hello ${name} `, 'm'));
    }
    await server.printedTimes(/^bye Cleo /gm, 3);
    const { output } = server;
    assert.match(
        output,
        /bot started: 1 background job, 1 schedule,[\s\S]*bot started: 1 background job, 1 schedule,/,
    );
    const slots = [...output.matchAll(/^hello \w+ (\d+)$/gm)].map(([, slot]) => slot);
    assert.deepEqual(slots, [...new Set(slots)], 'each slot once');
    for (const [, rest] of output.matchAll(/^hello ((?:Ada|Bob) \d+)$/gm))
        assert.match(output, new RegExp(`^bye ${rest}$`, 'm'), 'the run in flight ends');
    await server.ended('SIGTERM');
});
