import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createBot, loadApp, openApp } from '../support/fixture_app.js';

const JOB = 'export default { run(){} };';
const FOLDER = 'lib/background_jobs';

/** What a plain object has without anybody having put it there. */
const INHERITED = Object.getOwnPropertyNames(Object.prototype);

const app = await openApp({
    'support/syntax_error.js': 'export const a = 1;\nexport const = 2;\n',
    'support/definition.js': 'export const definition = { run(){} };\n',
    [`${FOLDER}/good.js`]: JOB,
    [`${FOLDER}/reports/daily_digest.js`]: JOB,
    [`${FOLDER}/reports/by_country/NorthAndSouth.js`]: JOB,
    [`${FOLDER}/50%_off #1?.js`]: JOB,
    [`${FOLDER}/imports.js`]:
        "import { definition } from '../../support/definition.js';\nexport default definition;\n",
    [`${FOLDER}/awaits.js`]: 'await null;\nexport default { run(){} };\n',
    [`${FOLDER}/good.test.js`]: "throw new Error('a test is no job');\n",
    [`${FOLDER}/notes.txt`]: 'not a job\n',
    [`${FOLDER}/.hidden`]: 'not a job\n',
    [`${FOLDER}/.#good.js`]: 'an editor has it open\n',
    [`${FOLDER}/good.js.bak`]: 'not a job\n',
    [`${FOLDER}/good.d.ts`]: 'export {};\n',
    [`${FOLDER}/_shared.mjs`]: 'export {};\n',
    ...Object.fromEntries(INHERITED.map((name) => [`${FOLDER}/notes.${name}`, 'not a job\n'])),
    ...Object.fromEntries(
        INHERITED.flatMap((name) => [
            [`${FOLDER}/${name}.js`, JOB],
            [`${FOLDER}/inherited/${name}.js`, JOB],
        ]),
    ),
    [`${FOLDER}/v1.2_report.js`]: JOB,
    [`${FOLDER}/reports/v1.2.ts`]: JOB,
    [`${FOLDER}/LOUD.JS`]: JOB,
    [`${FOLDER}/other.mjs`]: JOB,
    [`${FOLDER}/other.cjs`]: JOB,
    [`${FOLDER}/other.mts`]: JOB,
    [`${FOLDER}/other.Cts`]: JOB,
    [`${FOLDER}/page.jsx`]: JOB,
    [`${FOLDER}/page.tsx`]: JOB,
    [`${FOLDER}/syntax_error.js`]: 'export default {\n    run(){},\n    meta( {}\n};\n',
    [`${FOLDER}/imports_syntax_error.js`]:
        "import '../../support/syntax_error.js';\nexport default { run(){} };\n",
    [`${FOLDER}/imports_missing_export.js`]:
        "import { nothing } from '../../support/definition.js';\nexport default nothing;\n",
    [`${FOLDER}/imports_missing_package.js`]: "import 'no-such-package';\nexport default { run(){} };\n",
    [`${FOLDER}/imports_missing_file.js`]: "import './no_such_file.js';\nexport default { run(){} };\n",
    [`${FOLDER}/throws.js`]: "throw new RangeError('no API key');\n",
    [`${FOLDER}/throws_nothing.js`]: 'throw undefined;\n',
    [`${FOLDER}/throws_text.js`]: "throw 'no API key';\n",
    [`${FOLDER}/no_default.js`]: 'export const job = { run(){} };\n',
    [`${FOLDER}/empty.js`]: '',
    [`${FOLDER}/null_default.js`]: 'export default null;\n',
    [`${FOLDER}/function_default.js`]: 'export default async function run(){}\n',
    [`${FOLDER}/class_default.js`]: 'export default class { run(){} }\n',
    [`${FOLDER}/text_default.js`]: "export default 'run';\n",
    [`${FOLDER}/my-task.js`]: JOB,
    [`${FOLDER}/my_task.js`]: JOB,
    [`${FOLDER}/_.js`]: JOB,
});
const { BackgroundJob } = await import('../../lib/index.js');
await loadApp(app);

const { bot } = await createBot();
const { plans, problems } = await bot.survey();

const file = (name: string) => join(app.root, FOLDER, `${name}.js`);
const problemsOf = (name: string) => problems.filter((problem) => problem.file === file(name));

describe('a job file', () => {
    const jobs = {
        good: 'good',
        'reports/daily_digest': 'reports/daily-digest',
        'reports/by_country/NorthAndSouth': 'reports/by-country/north-and-south',
        '50%_off #1?': '50-off-1',
        imports: 'imports',
        awaits: 'awaits',
        ...Object.fromEntries(
            ['', 'inherited/'].flatMap((folder) =>
                INHERITED.map((name) => [
                    folder + name,
                    folder +
                        name
                            .replace(/^__|__$/g, '')
                            .replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
                ]),
            ),
        ),
        'my-task': 'my-task',
    };
    for (const [path, name] of Object.entries(jobs)) {
        test(`${path}.js makes the job ${name}`, () => {
            assert.deepEqual(BackgroundJob.for(name).filePaths, [file(path)]);
            const plan = plans.find((candidate) => candidate.name === name);
            assert.equal(plan?.file, file(path));
            assert.equal(plan?.runnable, true);
            assert.deepEqual(plan?.problems, []);
        });
    }

    test('tests, and files that are no scripts, make no job and no problem', () => {
        assert.deepEqual(BackgroundJob.names, Object.values(jobs).sort());
    });

    const reasons: Record<string, RegExp> = {
        syntax_error: /^cannot be imported: SyntaxError in line 4: Unexpected token '\}'$/,
        imports_syntax_error:
            /^cannot be imported: SyntaxError in a module it imports: Unexpected token '='$/,
        imports_missing_export:
            /^cannot be imported: SyntaxError: .*definition\.js' does not provide an export named 'nothing'$/,
        imports_missing_package:
            /^cannot be imported: Error: Cannot find package 'no-such-package' imported from/,
        imports_missing_file: /^cannot be imported: Error: Cannot find module '.*no_such_file\.js'/,
        throws: /^cannot be imported: RangeError: no API key$/,
        throws_nothing: /^cannot be imported: Error: it threw undefined, which is not an Error$/,
        throws_text: /^cannot be imported: Error: it threw "no API key", which is not an Error$/,
        no_default: /^has no default export: write `export default \{ \.\.\. \}`$/,
        empty: /^has no default export/,
        null_default: /^has a default export that is not an object: write `export default \{ \.\.\. \}`$/,
        function_default: /^has a default export that is not an object/,
        class_default: /^has a default export that is not an object/,
        text_default: /^has a default export that is not an object/,
        my_task: /^makes the name "my-task", as .*my-task\.js does: rename one of them$/,
        _: /^makes an empty name: use letters a to z and digits$/,
    };
    for (const [path, reason] of Object.entries(reasons)) {
        test(`${path}.js makes no job, is reported once with its name and file, and harms no other`, () => {
            const [problem, ...others] = problemsOf(path);
            assert.ok(problem);
            assert.deepEqual(others, []);
            assert.equal(problem.job, BackgroundJob.normalizeName(path));
            assert.equal(problem.severity, 'error');
            assert.match(problem.reason, reason);
        });
    }

    const ignored: Record<string, RegExp> = {
        'v1.2_report.js':
            /^makes no job because of the dot in its name: rename it to v1_2_report\.js, or move it/,
        'reports/v1.2.ts': /^makes no job because of the dot in its name: rename it to v1_2\.ts, or/,
        'LOUD.JS': /^makes no job: only \.js and \.ts files do: rename it to LOUD\.js, or/,
        'other.mjs': /: rename it to other\.js, or/,
        'other.cjs': /: rename it to other\.js, or/,
        'other.mts': /: rename it to other\.ts, or/,
        'other.Cts': /: rename it to other\.ts, or/,
        'page.jsx': /: rename it to page\.js, or/,
        'page.tsx': /: rename it to page\.ts, or/,
    };
    for (const [path, reason] of Object.entries(ignored)) {
        test(`${path} looks like a job and makes none, which is a warning`, () => {
            const [problem, ...others] = problems.filter((one) => one.file === join(app.root, FOLDER, path));
            assert.deepEqual([problem?.severity, problem?.kind, others], ['warning', 'file-ignored', []]);
            assert.match(problem?.reason ?? '', reason);
        });
    }

    test('there are no other problems', () => {
        assert.equal(problems.length, Object.keys(reasons).length + Object.keys(ignored).length);
    });

    test('may have a name that every object has: its job runs', async () => {
        for (const name of INHERITED) {
            const runs = await bot.runBackgroundJob(`inherited/${name}`);
            assert.deepEqual(
                runs.map((run) => [run.outcome, run.file]),
                [['succeeded', file(`inherited/${name}`)]],
            );
        }
    });

    test('a job that a file could not make cannot be run, and the reason is given', async () => {
        await assert.rejects(bot.runBackgroundJob('SyntaxError'), {
            message: new RegExp(
                `^The background job "syntax-error" cannot run \\(${file('syntax_error')}\\): cannot be imported: SyntaxError in line 4`,
            ),
        });
    });

    test('of two files that make one name the first keeps it', async () => {
        const [run] = await bot.runBackgroundJob('my_task');
        assert.equal(run?.file, file('my-task'));
    });
});
