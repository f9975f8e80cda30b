import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fs from 'fs-extra';
import { backgroundJobs, FILE_IMPORTER, makeApp } from '../support/installed_app.js';

const GENERATE = 'generate-background-job';

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
    test('overwrites no changed job unless it is forced', async () => {
        const app = await makeApp();
        const generate = (...args: string[]) => app.call([GENERATE, ...args]);
        assert.equal((await generate('--name', 'my-task')).code, 0);
        assert.equal(await app.read('lib/background_jobs/_file_importer.js'), FILE_IMPORTER);
        assert.equal(await app.read('lib/background_jobs/my_task.js'), TASK);
        assert.match((await generate('my_task')).stdout, /^unchanged lib\/background_jobs\/my_task\.js$/m);

        const changed = TASK.replace('* * * * *', '*/5 * * * *');
        await app.write({ 'lib/background_jobs/my_task.js': changed });
        assert.equal((await generate('MyTask')).code, 1);
        assert.equal(await app.read('lib/background_jobs/my_task.js'), changed);
        const forced = await generate('my-task', '--force');
        assert.match(forced.stdout, /^overwritten lib\/background_jobs\/my_task\.js$/m);
        assert.equal(await app.read('lib/background_jobs/my_task.js'), TASK);
    });

    for (const [name, path, job] of [
        ["O'Brien", 'o_brien', 'o-brien'],
        ['a/b', 'a/b', 'a/b'],
    ] as const) {
        test(`makes the job ${job} of the name ${name}`, async () => {
            const app = await makeApp();
            const generated = await app.call([GENERATE, '--name', name]);
            assert.deepEqual([generated.code, generated.stderr], [0, '']);
            assert.ok(await fs.pathExists(join(app.root, `lib/background_jobs/${path}.js`)));
            const run = await app.call(['run-background-job', '--name', job]);
            assert.deepEqual([run.code, run.stderr], [0, '']);
            assert.match(run.stdout, new RegExp(`^${job} background job coming soon!$`, 'm'));
        });
    }

    const typescript = { 'lib/background_jobs/my_task.ts': 'export default {};' };
    const noName = /^".*" cannot name a background job: use letters/;
    const refused: [words: string[], said: RegExp, files?: Record<string, string>, code?: number][] = [
        [['日本'], noName],
        [['../x'], noName],
        [
            ['my_task'],
            /my-task\.js already makes the background job "my-task"\.$/m,
            backgroundJobs({ 'my-task': TASK }),
        ],
        [['my-task', '--force'], /my_task\.ts already makes the background job "my-task"\.$/m, typescript],
        [['x', '--schedule', '0 0 30 2 *'], /^--schedule "0 0 30 2 \*": it never fires: /, {}, 2],
        [
            ['x', '--schedule', 'CRON_TZ=Londn @daily'],
            /^--schedule .*: "Londn" is not a time zone \(did you mean/,
            {},
            2,
        ],
        [
            ['x', '--timezone', 'Londn'],
            /^--timezone "Londn" is not a time zone \(did you mean "Europe\/London"\?\)\n$/,
            {},
            2,
        ],
        [
            ['x', '--schedule', ...'0 2 lib node_modules package.json lib node_modules x'.split(' ')],
            /it has 8 fields: .*In a shell it needs quotes: --schedule '30 6 \* \* 1-5'\n$/,
            {},
            2,
        ],
    ];
    for (const [words, said, files, expected = 1] of refused) {
        test(`writes nothing for ${words.join(' ')}, and says what is wrong`, async () => {
            const app = await makeApp(files);
            const before = await fs.readdir(app.root, { recursive: true });
            const { code, stdout, stderr } = await app.call([GENERATE, ...words]);
            assert.deepEqual([code, stdout], [expected, '']);
            assert.match(stderr, said);
            assert.deepEqual(await fs.readdir(app.root, { recursive: true }), before);
        });
    }

    test('says where Node cannot import TypeScript', async () => {
        const app = await makeApp();
        const withoutTypes: Record<string, string> = process.allowedNodeEnvironmentFlags.has(
            '--experimental-strip-types',
        )
            ? { NODE_OPTIONS: '--no-experimental-strip-types' }
            : {};
        const { stdout } = await app.run(
            'pinstripe-bot',
            [GENERATE, 'my-task', '--typescript'],
            withoutTypes,
        );
        assert.match(
            stdout,
            /^warning Node v\S+ cannot import lib\/background_jobs\/my_task\.ts: use Node\s22\.18/m,
        );
    });
});
