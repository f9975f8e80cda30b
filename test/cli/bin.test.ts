import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fs from 'fs-extra';

const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));
const BINARY = join(PACKAGE, 'dist/bin/pinstripe_bot.js');
const HINT =
    /^lib\/index\.js does not import pinstripe-bot yet: add import 'pinstripe-bot'; to it, or run pinstripe-bot init\n$/;
const ESCAPE = '\u001b[';
const IMPORT_ALL = "import { importAll } from 'pinstripe';\nimportAll(import.meta.url);\n";
const APP = {
    'package.json': '{ "name": "shop", "type": "module", "exports": { ".": "./lib/index.js" } }',
    'lib/index.js': `import 'pinstripe-bot';\n${IMPORT_ALL}`,
};
const IMPORTER = 'lib/background_jobs/_file_importer.js';
const COMMANDS = {
    'lib/commands/_file_importer.js': "export { Command as default } from 'pinstripe';",
    'lib/commands/fail.js': "export default {\n    run(){ throw new Error('no paint'); }\n};",
    'lib/commands/hang.js': 'export default { run(){ return new Promise(() => {}); } };',
    'lib/commands/seven.js': "export default { run(){ process.exitCode = 7; throw new Error('x'); } };",
    'lib/commands/show.js': `export default {
        meta(){
            this.hasParam('word', { alias: 'arg1' });
            this.hasParam('isLoud', { type: 'boolean', optional: true });
        },
        run(){ console.log(JSON.stringify(this.params)); }
    };`,
    'lib/commands/save.js': `import { Class } from '@pinstripe/utils';
        import { ValidationError } from 'haberdash';
        export default { run(){ throw new ValidationError({ email: 'Must not be blank' }); } };`,
};

interface Ended {
    code: number | null;
    out: string;
    err: string;
}

let folder: string;

before(async () => {
    folder = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'pinstripe-bot-bin-')));
});

after(() => fs.remove(folder));

test('a build leaves an executable: npm links it before it is built, and gives it no right then', async () => {
    await fs.access(BINARY, fs.constants.X_OK);
});

describe('pinstripe-bot in a project', { concurrency: 2 }, () => {
    test('lists the commands of the bot first, then those of the project, and init', async () => {
        const app = await makeApp({ ...APP, ...COMMANDS });
        const alone = await run(app, []);
        assert.deepEqual([alone.code, alone.err], [0, '']);
        assert.match(
            alone.out,
            /^Background jobs:\n {2}check-background-jobs [\s\S]*^ {2}generate-background-job [\s\S]*^Project:\n[\s\S]*^ {2}show\n[\s\S]*^Setup:\n {2}init /m,
        );
        assert.doesNotMatch(alone.out, /generate-project|initialize-project/);
        assert.ok(!alone.out.includes(ESCAPE));
        assert.deepEqual(await run(app, ['--help']), alone);
        assert.deepEqual(await run(app, ['help']), alone);
    });

    test('runs a command with its parameters, from any folder of the project', async () => {
        const app = await makeApp({ ...APP, ...COMMANDS });
        const { code, out, err } = await run(join(app, 'lib'), ['show', 'one', '--is-loud', 'false']);
        assert.deepEqual([code, out, err], [0, '{"isLoud":false,"word":"one"}\n', '']);
    });

    test('prints the version of its own package', async () => {
        const { version } = await fs.readJson(join(PACKAGE, 'package.json'));
        for (const flag of ['--version', '-V']) {
            assert.deepEqual(await run(await makeApp(APP), [flag]), {
                code: 0,
                out: `${version}\n`,
                err: '',
            });
        }
    });

    test('works before the app imports the plugin, and says which line to add', async () => {
        const app = await makeApp({ ...APP, 'lib/index.js': IMPORT_ALL });
        const { code, out, err } = await run(app, ['list-background-jobs', '--json']);
        assert.equal(code, 0, err);
        assert.deepEqual(JSON.parse(out).jobs, []);
        assert.match(err, HINT);
    });

    test('works in a project without an entry, and says how to get one', async () => {
        const { code, err } = await run(await makeApp({ 'package.json': '{ "name": "shop" }' }), [
            'list-jobs',
        ]);
        assert.deepEqual(
            [code, err],
            [0, 'this project has no entry that imports pinstripe-bot: run pinstripe-bot init\n'],
        );
    });

    test('generates a background job, lists it and runs it, after init', async () => {
        const app = await makeApp({ ...APP, 'lib/index.js': IMPORT_ALL });
        const init = await run(app, ['init']);
        assert.deepEqual([init.code, init.err], [0, '']);
        assert.match(
            init.out,
            /changed: +import 'pinstripe-bot'; in lib\/index\.js\n +created: +bot_\*\.db\* in \.gitignore/,
        );
        assert.match((await run(app, ['init'])).out, /already there: +import[\s\S]*already there: +bot_/);
        for (const words of [
            ['generate-background-job', '--name', 'my-task'],
            ['run-background-job', 'MyTask'],
        ]) {
            const { code, err } = await run(app, words);
            assert.deepEqual([code, err], [0, '']);
        }
        assert.match((await run(app, ['list_background_jobs'])).out, /my-task/);
    });

    const refusals: [string[], RegExp][] = [
        [['shwo'], /^unknown command 'shwo' \(did you mean show\?\)\n$/],
        [['help', 'nonsense'], /^unknown command 'nonsense'\n$/],
        [['show'], /^--word: Must not be blank\nRun pinstripe-bot show --help for its options\.\n$/],
        [['start-server', '--host', 'nonsense'], /^--host: "nonsense" is not a host and port/],
        [['init', 'here'], /^too many arguments for 'init'/],
    ];
    for (const [words, message] of refusals) {
        test(`refuses ${words.join(' ')} with exit code 2`, async () => {
            const { code, out, err } = await run(await makeApp({ ...APP, ...COMMANDS }), words);
            assert.deepEqual([code, out], [2, '']);
            assert.match(err, message);
        });
    }

    const failures: [string[], number, RegExp][] = [
        [['fail'], 1, /^no paint\n {4}at lib\/commands\/fail\.js:2:18\n$/],
        [['seven'], 7, /^x\n/],
        [['save'], 1, /^email: Must not be blank\n$/],
        [['hang'], 1, /^the command waits for something that will never happen\n$/],
        [['run-background-job', 'nonsense'], 1, /^There is no background job "nonsense"/],
    ];
    for (const [words, exitCode, message] of failures) {
        test(`says why ${words.join(' ')} failed, with exit code ${exitCode}`, async () => {
            const { code, out, err } = await run(await makeApp({ ...APP, ...COMMANDS }), words);
            assert.deepEqual([code, out], [exitCode, '']);
            assert.match(err, message);
        });
    }

    test('prints the whole error for those who debug', async () => {
        const app = await makeApp({ ...APP, ...COMMANDS });
        const { err } = await run(app, ['fail'], { DEBUG: 'other,pinstripe-bot' });
        assert.match(err, /^Error: no paint\n.*fail\.js[\s\S]*node_modules\/pinstripe|haberdash/);
    });

    test('colours for a terminal only, and never against NO_COLOR', async () => {
        const app = await makeApp(APP);
        assert.ok((await run(app, ['list-commands'], { FORCE_COLOR: '1' })).out.includes(ESCAPE));
        for (const words of [['list-commands'], ['--help'], ['nonsense']]) {
            const { out, err } = await run(app, words, { FORCE_COLOR: '1', NO_COLOR: '1' });
            assert.ok(!(out + err).includes(ESCAPE));
        }
    });

    test('survives a reader that goes away', async () => {
        const child = start(await makeApp(APP), ['--help']);
        child.stdout?.destroy();
        const { code, err } = await ended(child);
        assert.deepEqual([code, err], [0, '']);
    });

    test('serves until it is told to stop, and exits with 0', async () => {
        const app = await makeApp({ ...APP, 'lib/index.js': IMPORT_ALL });
        const host = `127.0.0.1:${await freePort()}`;
        const child = start(app, ['start-server', '--host', host, '--without-jobs']);
        const exit = ended(child);
        await untilItAnswers(`http://${host}/`, child);
        child.kill('SIGTERM');
        const { code, out, err } = await exit;
        assert.equal(code, 0, err);
        assert.match(err, HINT);
        assert.match(out, /bot started[\s\S]*bot stopped/);
        await assert.rejects(fetch(`http://${host}/`));
    });
});

describe('pinstripe-bot in a project that cannot be loaded', { concurrency: 2 }, () => {
    const old = "export { BackgroundJob as default } from 'pinstripe';";
    const projects: [string, Record<string, string>, RegExp][] = [
        [
            'a syntax error in the entry',
            { 'lib/index.js': 'const {' },
            /: lib\/index\.js:1: SyntaxError: Unexpected end of input$/,
        ],
        [
            'a syntax error in another file',
            { 'lib/shop/till.js': '\nconst 1 = 2;' },
            /: lib\/shop\/till\.js:2: SyntaxError: Unexpected number$/,
        ],
        [
            'an old file importer',
            { [IMPORTER]: old },
            /background_jobs\/_file_importer\.js imports BackgroundJob from 'pinstripe', which has none: run 'pinstripe-bot init' to repair it$/,
        ],
        [
            'an old import elsewhere',
            { 'lib/till.js': old },
            /: lib\/till\.js imports BackgroundJob from 'pinstripe', which has none: import it from 'pinstripe-bot'$/,
        ],
        [
            'a missing package',
            { 'lib/till.js': "import 'till';" },
            /: lib\/till\.js imports till, which is not installed$/,
        ],
        [
            'a missing file',
            { 'lib/till.js': "import './coins.js';" },
            /: lib\/till\.js imports lib\/coins\.js, which does not exist$/,
        ],
        [
            'code that throws',
            { 'lib/till.js': "\nthrow new Error('empty');" },
            /: lib\/till\.js:2:7: Error: empty$/,
        ],
        [
            'code that fails while the entry still waits',
            {
                'lib/till.js': "throw new Error('empty');",
                'lib/index.js': `${IMPORT_ALL}await new Promise((done) => setTimeout(done, 500));`,
            },
            /: lib\/till\.js:1:7: Error: empty$/,
        ],
        ['a package.json that is not JSON', { 'package.json': '{' }, /package\.json is not valid JSON/],
    ];
    for (const [what, files, reason] of projects) {
        test(`says why in one line: ${what}`, async () => {
            const { code, out, err } = await run(await makeApp({ ...APP, ...files }), ['list-commands']);
            assert.deepEqual([code, out, err.split('\n').length], [1, '', 2], err);
            assert.match(err.trimEnd(), reason);
        });
    }

    test('repairs the old file importer by init', async () => {
        const app = await makeApp({ ...APP, [IMPORTER]: old });
        assert.equal((await run(app, ['init'])).code, 0);
        const { code, err } = await run(app, ['list-background-jobs']);
        assert.deepEqual([code, err], [0, '']);
    });
});

describe('pinstripe-bot where something is missing', { concurrency: 2 }, () => {
    test('has only the commands that make a project, outside of one', async () => {
        const empty = await makeFolder({});
        const help = await run(empty, []);
        assert.equal(help.code, 0);
        assert.match(help.out, /^Project:\n {2}generate-project[\s\S]*list-commands/m);
        assert.doesNotMatch(help.out, /start-server/);
        assert.equal(help.err, `not in a project: there is no package.json in ${empty} or above it\n`);
        assert.equal((await run(empty, ['--version'])).code, 0);
        assert.equal((await run(empty, ['list-commands'])).code, 0);
        assert.deepEqual(await run(empty, ['start-server', '--without-bot']), {
            code: 1,
            out: '',
            err: `start-server needs a project: there is no package.json in ${empty} or above it\n`,
        });
        assert.equal((await run(empty, ['init'])).code, 1);
    });

    test('takes a package.json without a name for no project, as the framework does', async () => {
        const { code, err } = await run(await makeFolder({ 'package.json': '{}' }), ['list-background-jobs']);
        assert.equal(code, 1);
        assert.match(err, /^list-background-jobs needs a project: .*package\.json has no "name"\n$/);
    });

    test('says what to install where the framework is missing', async () => {
        const { code, err } = await run(await makeFolder(APP), ['list-commands']);
        assert.equal(code, 1);
        assert.match(err, /^pinstripe is not installed in .*: run npm install pinstripe\n$/);
    });

    test('names two copies of the framework', async () => {
        const app = await makeFolder({ ...APP, ...fakePackage('pinstripe', '') });
        await link(app, 'pinstripe-bot', PACKAGE);
        const { code, err } = await run(app, ['list-commands']);
        assert.equal(code, 1);
        assert.match(err, /^There are two copies of the framework/);
        assert.ok(err.includes(join(app, 'node_modules/pinstripe')));
    });

    test('says what to install where the project has a framework of its own, and no pinstripe-bot', async () => {
        const { code, err } = await run(await makeFolder({ ...APP, ...fakePackage('pinstripe', '') }), [
            'list-commands',
        ]);
        assert.equal(code, 1);
        assert.match(err, /^pinstripe-bot is not installed in .*: run npm install pinstripe-bot\n$/);
    });

    test('leaves the work to the copy of the project', async () => {
        const copy = fakePackage('pinstripe-bot', 'console.log(JSON.stringify(process.argv.slice(2)));');
        const { code, out } = await run(await makeFolder({ ...APP, ...copy }), ['list-jobs', '--json']);
        assert.deepEqual([code, out], [0, '["list-jobs","--json"]\n']);
    });
});

async function makeApp(files: Record<string, string>): Promise<string> {
    const app = await makeFolder(files);
    for (const name of ['pinstripe', '@pinstripe/utils', 'haberdash']) {
        await link(app, name, join(PACKAGE, 'node_modules', name));
    }
    await link(app, 'pinstripe-bot', PACKAGE);
    return app;
}

async function makeFolder(files: Record<string, string>): Promise<string> {
    const made = await fs.mkdtemp(join(folder, 'app-'));
    for (const [file, text] of Object.entries(files)) await fs.outputFile(join(made, file), text);
    return made;
}

async function link(app: string, name: string, target: string): Promise<void> {
    await fs.ensureSymlink(target, join(app, 'node_modules', name), 'dir');
}

function fakePackage(name: string, code: string): Record<string, string> {
    return {
        [`node_modules/${name}/package.json`]: JSON.stringify({
            name,
            bin: { [name]: 'lib/index.js' },
            main: 'lib/index.js',
        }),
        [`node_modules/${name}/lib/index.js`]: code,
    };
}

function start(cwd: string, words: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const { PATH, HOME } = process.env;
    return spawn(process.execPath, [BINARY, ...words], {
        cwd,
        env: { PATH, HOME, NODE_ENV: 'test', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
    });
}

function run(cwd: string, words: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return ended(start(cwd, words, env));
}

async function ended(child: ChildProcess): Promise<Ended> {
    const texts = { out: '', err: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        texts.out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        texts.err += text;
    });
    const [code] = await once(child, 'close');
    return { code, ...texts };
}

async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    return typeof address === 'object' && address ? address.port : 0;
}

async function untilItAnswers(url: string, child: ChildProcess): Promise<void> {
    while (child.exitCode === null) {
        const answer = await fetch(url).catch(() => undefined);
        if (answer) return void (await answer.arrayBuffer());
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
