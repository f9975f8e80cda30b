import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fs from 'fs-extra';
import { BINARIES, backgroundJobs, FILE_IMPORTER, makeApp } from '../support/installed_app.js';

const TASK = `export default {
    meta(){
        this.schedule('* * * * *'); // run every minute
    },

    run(){
        console.log('my-task background job coming soon!')
    }
};
`;

describe('generate-background-job', { concurrency: 2 }, () => {
    for (const binary of BINARIES) {
        test(`of ${binary} writes the job of the documentation, and overwrites no changed one unless forced`, async () => {
            const app = await makeApp();
            const generate = (...args: string[]) => app.run(binary, ['generate-background-job', ...args]);
            const first = await generate('--name', 'my-task');
            assert.deepEqual([first.code, first.stderr], [0, '']);
            assert.equal(
                first.stdout,
                'created lib/background_jobs/_file_importer.js\ncreated lib/background_jobs/my_task.js\n\n' +
                    `Run it now:      ${binary} run-background-job --name my-task\n` +
                    `Run it on time:  ${binary} start-server\n`,
            );
            assert.equal(await app.read('lib/background_jobs/_file_importer.js'), FILE_IMPORTER);
            assert.equal(await app.read('lib/background_jobs/my_task.js'), TASK);

            const again = await generate('my_task');
            assert.equal(again.code, 0);
            assert.match(again.stdout, /^unchanged lib\/background_jobs\/my_task\.js$/m);

            const changed = TASK.replace('* * * * *', '*/5 * * * *');
            await app.write({ 'lib/background_jobs/my_task.js': changed });
            const refused = await generate('MyTask');
            assert.deepEqual(refused, {
                code: 1,
                stdout: '',
                stderr:
                    'lib/background_jobs/my_task.js exists and differs: nothing was written. ' +
                    'Use --force to overwrite it.\n',
            });
            assert.equal(await app.read('lib/background_jobs/my_task.js'), changed);

            const forced = await generate('my-task', '--force');
            assert.equal(forced.code, 0);
            assert.match(forced.stdout, /^overwritten lib\/background_jobs\/my_task\.js$/m);
            const run = await app.run(binary, ['run-background-job', '--name', 'my-task']);
            assert.deepEqual([run.code, run.stderr], [0, '']);
            assert.match(run.stdout, /^my-task background job coming soon!$/m);
        });
    }

    for (const [name, path, job] of [
        ["O'Brien", 'o_brien', 'o-brien'],
        ['a/b', 'a/b', 'a/b'],
    ] as const) {
        test(`makes the job ${job} of the name ${name}`, async () => {
            const app = await makeApp();
            const generated = await app.run('pinstripe-bot', ['generate-background-job', '--name', name]);
            assert.deepEqual([generated.code, generated.stderr], [0, '']);
            assert.ok(await fs.pathExists(join(app.root, `lib/background_jobs/${path}.js`)));
            const run = await app.run('pinstripe-bot', ['run-background-job', '--name', job]);
            assert.deepEqual([run.code, run.stderr], [0, '']);
            assert.match(run.stdout, new RegExp(`^${job} background job coming soon!$`, 'm'));
        });
    }

    test('refuses a name of which nothing remains, or that leaves the folder', async () => {
        const app = await makeApp();
        for (const name of ['日本', '../x']) {
            const { code, stdout, stderr } = await app.run('pinstripe', [
                'generate-background-job',
                '--name',
                name,
            ]);
            assert.deepEqual([code, stdout], [1, ''], name);
            assert.match(stderr, /^".*" cannot name a background job: use letters/, name);
        }
        assert.deepEqual(await fs.readdir(app.root), ['lib', 'node_modules', 'package.json']);
        assert.deepEqual(await fs.readdir(join(app.root, 'lib')), ['index.js']);
    });

    test('refuses a name that another file makes', async () => {
        const app = await makeApp(backgroundJobs({ 'my-task': TASK }));
        const { code, stderr } = await app.run('pinstripe-bot', [
            'generate-background-job',
            '--name',
            'my_task',
        ]);
        assert.equal(code, 1);
        assert.match(stderr, /my-task\.js already makes the background job "my-task"\.$/m);
    });
});
