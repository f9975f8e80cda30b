import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { backgroundJobs, makeApp } from '../support/installed_app.js';
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
    test('makes a job where Node can import it', async () => {
        const app = await makeApp(APP);
        const args = ['run-background-job', 'reports/greet', '--arguments', '["Ada"]'];
        const { code, stdout, stderr } = await app.run('pinstripe', args, WITH_LOADER);
        assert.deepEqual([code, stderr], [0, '']);
        assert.match(stdout, /^hello Ada$/m);
    });

    test('is told of with its name, the version of Node and a cure where it cannot, and harms no other', async () => {
        const app = await makeApp(APP);
        const check = await app.run('pinstripe', ['check-background-jobs'], WITHOUT);
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
        const plain = await app.run('pinstripe-bot', ['run-background-job', 'plain'], WITHOUT);
        assert.deepEqual([plain.code, plain.stderr], [0, '']);
    });

    test('is told of with the line of what its compiler refuses, and where it is the second of one name', async () => {
        const app = await makeApp({
            ...APP,
            'lib/background_jobs/plain.ts': 'export default { run(){} };\n',
            'lib/background_jobs/wrong.ts': 'export default {\n    run(){},\n    meta( {}\n};\n',
        });
        const words = ['check-background-jobs', '--json'];
        const { code, stdout } = await app.run('pinstripe-bot', words, WITH_LOADER);
        assert.equal(code, 1);
        const [twin, wrong, ...others] = JSON.parse(stdout).findings;
        assert.deepEqual([twin.job, twin.rule, others], ['plain', 'same-name', []]);
        assert.match(twin.message, /^makes the name "plain", as .*\/plain\.js does$/);
        assert.deepEqual([wrong.job, wrong.line], ['wrong', 4]);
        assert.doesNotMatch(wrong.message, /\n/);
    });
});
