import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fs from 'fs-extra';
import { BINARIES, backgroundJobs, FILE_IMPORTER, makeApp } from '../support/installed_app.js';

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
    for (const binary of BINARIES) {
        test(`of ${binary} writes the job of the documentation, and overwrites no changed one unless forced`, async () => {
            const app = await makeApp();
            const generate = (...args: string[]) => app.run(binary, ['generate-background-job', ...args]);
            const first = await generate('--name', 'my-task');
            assert.deepEqual([first.code, first.stderr], [0, '']);
            assert.equal(
                first.stdout,
                'created lib/background_jobs/_file_importer.js\ncreated lib/background_jobs/my_task.js\n\n' +
                    `Run it now:      npx ${binary} run-background-job --name my-task\n` +
                    `Run it on time:  npx ${binary} start-server\n`,
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
            const generated = await app.call([GENERATE, '--name', name]);
            assert.deepEqual([generated.code, generated.stderr], [0, '']);
            assert.ok(await fs.pathExists(join(app.root, `lib/background_jobs/${path}.js`)));
            const run = await app.run('pinstripe-bot', ['run-background-job', '--name', job]);
            assert.deepEqual([run.code, run.stderr], [0, '']);
            assert.match(run.stdout, new RegExp(`^${job} background job coming soon!$`, 'm'));
        });
    }

    const typescript = { 'lib/background_jobs/my_task.ts': 'export default {};' };
    const noName = /^".*" cannot name a background job: use letters/;
    const refused: [what: string, files: Record<string, string>, words: string[], said: RegExp][] = [
        ['of which nothing remains', {}, ['日本'], noName],
        ['that leaves the folder', {}, ['../x'], noName],
        [
            'that another file makes',
            backgroundJobs({ 'my-task': TASK }),
            ['my_task'],
            /my-task\.js already makes the background job "my-task"\.$/m,
        ],
        [
            'that a file in the other language makes',
            typescript,
            ['my-task', '--force'],
            /my_task\.ts already makes the background job "my-task"\.$/m,
        ],
    ];
    for (const [what, files, words, said] of refused) {
        test(`refuses a name ${what}`, async () => {
            const app = await makeApp(files);
            const before = await fs.readdir(app.root, { recursive: true });
            const { code, stdout, stderr } = await app.call([GENERATE, ...words]);
            assert.deepEqual([code, stdout], [1, '']);
            assert.match(stderr, said);
            assert.deepEqual(await fs.readdir(app.root, { recursive: true }), before);
        });
    }

    for (const binary of BINARIES) {
        test(`of ${binary} writes a schedule and its zone, and says in words when it will run`, async () => {
            const app = await makeApp(backgroundJobs({}));
            const options = ['--schedule', ' 30  4 * * 1-5', '--timezone', 'Asia/Tokyo'];
            const args = ['generate-background-job', '--name', 'my-task', ...options];
            const { code, stdout, stderr } = await app.run(binary, args);
            assert.deepEqual([code, stderr], [0, '']);
            assert.match(
                stdout,
                /^Runs at 04:30, Monday through Friday \(Asia\/Tokyo\): next [\d-]+ 04:30:00,\nthen [\d-]+ 04:30:00\.$/m,
            );
            assert.equal(
                await app.read('lib/background_jobs/my_task.js'),
                TASK.replace(
                    "'* * * * *'); // run every minute\n    },",
                    "'30 4 * * 1-5'); // run at 04:30, Monday through Friday\n    },\n\n    timezone: 'Asia/Tokyo',",
                ),
            );
            const list = await app.run(binary, ['check-background-jobs', '--strict']);
            assert.equal(list.stdout, '1 background job, 1 schedule: nothing wrong.\n');
        });
    }

    const bad: [words: string[], said: RegExp][] = [
        [['--schedule', '61 * * * *'], /^--schedule "61 \* \* \* \*": minute 61 is out of range \(0-59\)\n$/],
        [['--schedule', '0 0 30 2 *'], /^--schedule "0 0 30 2 \*": it never fires: /],
        [['--schedule', 'CRON_TZ=Londn @daily'], /^--schedule .*: "Londn" is not a time zone \(did you mean/],
        [
            ['--timezone', 'Londn'],
            /^--timezone "Londn" is not a time zone \(did you mean "Europe\/London"\?\)\n$/,
        ],
        [
            ['--schedule', ...'0 2 lib node_modules package.json lib node_modules x'.split(' ')],
            /it has 8 fields: .*In a shell it needs quotes: --schedule '30 6 \* \* 1-5'\n$/,
        ],
    ];
    for (const [words, said] of bad) {
        test(`writes nothing for ${words.join(' ')}, and says what is wrong`, async () => {
            const app = await makeApp();
            const { code, stdout, stderr } = await app.call([GENERATE, 'my-task', ...words]);
            assert.deepEqual([code, stdout], [2, '']);
            assert.match(stderr, said);
            assert.deepEqual(await fs.readdir(join(app.root, 'lib')), ['index.js']);
        });
    }

    test('tells of what is probably not meant with the schedule', async () => {
        const app = await makeApp();
        const { code, stdout } = await app.call([GENERATE, 'my-task', '--schedule', '* 2 * * *']);
        assert.equal(code, 0);
        assert.match(
            stdout,
            /^warning it runs every minute of hour 2, not once\. Cure: for once write\n'0 2 \* \* \*'; /m,
        );
    });

    test('writes TypeScript, and says where Node cannot import it', async () => {
        const app = await makeApp();
        const withoutTypes: Record<string, string> = process.allowedNodeEnvironmentFlags.has(
            '--experimental-strip-types',
        )
            ? { NODE_OPTIONS: '--no-experimental-strip-types' }
            : {};
        const args = ['generate-background-job', 'my-task', '--typescript'];
        const { code, stdout } = await app.run('pinstripe-bot', args, withoutTypes);
        assert.equal(code, 0);
        assert.match(stdout, /^created lib\/background_jobs\/my_task\.ts$/m);
        assert.match(
            stdout,
            /^warning Node v\S+ cannot import lib\/background_jobs\/my_task\.ts: use Node\s22\.18/m,
        );
        assert.equal(
            await app.read('lib/background_jobs/my_task.ts'),
            `import { defineBackgroundJob } from 'pinstripe-bot';\n\n${TASK.replace(
                'default {',
                'default defineBackgroundJob({',
            ).replace(/};\n$/, '});\n')}`,
        );
    });
});
