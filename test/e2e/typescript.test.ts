import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BINARIES, backgroundJobs, makeApp } from '../support/installed_app.js';
import { PACKAGE } from '../support/pack.js';

/** A loader that knows TypeScript, as an app may have one. */
const LOADER = pathToFileURL(join(PACKAGE, 'node_modules/tsx/dist/loader.mjs')).href;

const WITH_LOADER = { NODE_OPTIONS: `--import ${LOADER}` };

/** This Node, or one that would import TypeScript, does not. */
const WITHOUT: Record<string, string> = process.allowedNodeEnvironmentFlags.has('--experimental-strip-types')
    ? { NODE_OPTIONS: '--no-experimental-strip-types' }
    : {};

const GREET = `import { defineBackgroundJob } from 'pinstripe-bot';

export default defineBackgroundJob({
    meta(){ this.schedule('0 6 * * *'); },
    run(name: string){ console.log(\`hello \${name satisfies string}\`); }
});
`;

const APP = {
    ...backgroundJobs({ plain: "export default { run(){ console.log('plain ran'); } };" }),
    'lib/background_jobs/reports/greet.ts': GREET,
    'lib/background_jobs/types.d.ts': 'export declare const a: number;\n',
    'lib/background_jobs/greet.test.ts': "throw new Error('a test is no job');\n",
};

describe('a job file in TypeScript', { concurrency: 2 }, () => {
    for (const binary of BINARIES) {
        test(`makes a job where Node can import it (${binary})`, async () => {
            const app = await makeApp(APP);
            const check = await app.run(binary, ['check-background-jobs'], WITH_LOADER);
            assert.deepEqual(check, {
                code: 0,
                stdout: '2 background jobs, 1 schedule: nothing wrong.\n',
                stderr: '',
            });
            const args = ['run-background-job', 'reports/greet', '--arguments', '["Ada"]'];
            const run = await app.run(binary, args, WITH_LOADER);
            assert.deepEqual([run.code, run.stderr], [0, '']);
            assert.match(run.stdout, /^hello Ada$/m);
        });

        test(`is told of with its name, the version of Node and a cure where it cannot, and harms no other (${binary})`, async () => {
            const app = await makeApp(APP);
            const check = await app.run(binary, ['check-background-jobs'], WITHOUT);
            assert.deepEqual(check, {
                code: 1,
                stdout: `error    reports/greet  lib/background_jobs/reports/greet.ts
         cannot be imported: Node ${process.version} cannot import
         lib/background_jobs/reports/greet.ts
         Cure: use Node 22.18 or newer, or install tsx and set
         NODE_OPTIONS='--import tsx', or write it in JavaScript

1 background job, 0 schedules: 1 error.
`,
                stderr: '',
            });
            const plain = await app.run(binary, ['run-background-job', 'plain'], WITHOUT);
            assert.deepEqual([plain.code, plain.stderr], [0, '']);
            const greet = await app.run(binary, ['run-background-job', 'reports/greet'], WITHOUT);
            assert.equal(greet.code, 1);
            assert.match(
                greet.stderr,
                /greet\.ts\): cannot be imported: Node v\S+ cannot import .*greet\.ts: use Node 22/,
            );
        });
    }

    test('is told of with the line of what its compiler refuses', async () => {
        const app = await makeApp({
            ...APP,
            'lib/background_jobs/wrong.ts': 'export default {\n    run(){},\n    meta( {}\n};\n',
        });
        const { code, stdout } = await app.run(
            'pinstripe-bot',
            ['check-background-jobs', '--json'],
            WITH_LOADER,
        );
        assert.equal(code, 1);
        const { findings } = JSON.parse(stdout);
        assert.equal(findings.length, 1);
        assert.deepEqual([findings[0].job, findings[0].line], ['wrong', 4]);
        assert.doesNotMatch(findings[0].message, /\n/);
    });

    test('and one in JavaScript of the same name are two files that make one name', async () => {
        const app = await makeApp({
            ...APP,
            'lib/background_jobs/plain.ts': 'export default { run(){} };\n',
        });
        for (const env of [WITHOUT, WITH_LOADER]) {
            const { code, stdout } = await app.run('pinstripe-bot', ['check-background-jobs', '--json'], env);
            assert.equal(code, 1);
            const { findings } = JSON.parse(stdout);
            const [twin] = findings.filter(({ job }: { job: string }) => job === 'plain');
            assert.equal(twin.rule, 'same-name');
            assert.match(twin.message, /^makes the name "plain", as .*\/plain\.js does$/);
        }
    });
});
