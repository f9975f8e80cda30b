import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { BINARIES, backgroundJobs, type InstalledApp, makeApp } from '../support/installed_app.js';

/** Prints wherever an app can: while it loads, when a service is made, when a job runs, at the end. */
const NOISY = {
    'lib/index.js': `
        import 'pinstripe-bot';
        import './noise.js';
        import { importAll, Command } from 'pinstripe';
        console.log('loaded');
        importAll(import.meta.url);
        Command.register('shout', { meta(){ this.hasParam('json', { type: 'boolean', optional: true }); }, run(){ console.log('own words'); } });
    `,
    'lib/noise.js': `
        process.stdout.write('a dependency\\n');
        process.on('exit', () => console.log('the end'));
    `,
    'lib/services/_file_importer.js': "export { ServiceFactory as default } from 'pinstripe';\n",
    'lib/services/database.js': `export default {
        create(){
            console.log('Query: select * from tenants');
            return { info: {}, destroy(){ console.log('closed'); } };
        }
    };`,
    ...backgroundJobs({
        'my-task': `
            console.log('a job file');
            export default {
                meta(){ console.log('meta'); this.schedule('0 2 * * *'); },
                run(){ console.log('running'); }
            };`,
    }),
};

const COMMANDS = [
    ['pinstripe', 'list-background-jobs'],
    ['pinstripe', 'run-background-job', 'my-task'],
    ['pinstripe-bot', 'show-background-job', 'my-task'],
    ['pinstripe-bot', 'run-background-job', 'my-task'],
] as const;

describe('--json', { concurrency: 2 }, () => {
    let app: InstalledApp;
    before(async () => {
        app = await makeApp(NOISY);
    });

    for (const [binary, ...words] of COMMANDS)
        test(`leaves standard output to the JSON, whatever the app prints: ${binary} ${words.join(' ')}`, async () => {
            const { code, stdout, stderr } = await app.run(binary, [...words, '--json']);
            assert.equal(code, 0, stderr);
            assert.equal(JSON.parse(stdout).version, 1);
            for (const noise of ['a dependency', 'loaded', 'a job file', 'meta', 'the end'])
                assert.match(stderr, new RegExp(`^${noise}$`, 'm'));
        });

    for (const binary of BINARIES)
        test(`is no concern of the app's own commands: ${binary}`, async () => {
            const { code, stdout } = await app.run(binary, ['shout', '--json']);
            assert.equal(code, 0);
            assert.match(stdout, /^a dependency\nloaded\n(.*\n)*own words\n(.*\n)*the end\n$/);
        });
});
