import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fs from 'fs-extra';
import { checkPackages, findProject, type ProjectFolder } from '../../lib/cli/project.js';

const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));
const BINARY = join(PACKAGE, 'dist/bin/pinstripe_bot.js');
const ESCAPE = '\u001b[';
const IMPORT_ALL = "import { importAll } from 'pinstripe';\nimportAll(import.meta.url);\n";
const APP = {
    'package.json': '{ "name": "shop", "type": "module", "exports": { ".": "./lib/index.js" } }',
    'lib/index.js': `import 'pinstripe-bot';\n${IMPORT_ALL}`,
};
const IMPORTER = 'lib/background_jobs/_file_importer.js';
const OLD_IMPORTER = "export { BackgroundJob as default } from 'pinstripe';";
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
    test('lists init first, then the commands of the bot and those of the project, and says what start-server starts', async () => {
        const { code, out, err } = await run(await makeApp({ ...APP, ...COMMANDS }), []);
        assert.deepEqual([code, err], [0, '']);
        assert.match(
            out,
            /^Setup:\n {2}init [\s\S]*^Background jobs:\n {2}check-background-jobs [\s\S]*^Project:\n[\s\S]*^ {2}show\n/m,
        );
        assert.match(out, /^ {2}start-server +Starts the web server, the bot, which runs/m);
        assert.doesNotMatch(out, /generate-project|initialize-project/);
        assert.ok(!out.includes(ESCAPE));
    });

    test('runs a command with its parameters, from any folder of the project', async () => {
        const app = await makeApp({ ...APP, ...COMMANDS });
        const { code, out, err } = await run(join(app, 'lib'), ['show', 'one', '--is-loud', 'false']);
        assert.deepEqual([code, out, err], [0, '{"isLoud":false,"word":"one"}\n', '']);
    });

    test('prints the version of its own package', async () => {
        const { version } = await fs.readJson(join(PACKAGE, 'package.json'));
        assert.deepEqual(await run(await makeApp(APP), ['--version']), {
            code: 0,
            out: `${version}\n`,
            err: '',
        });
    });

    test('works before the app imports the plugin, and says how it comes to do so', async () => {
        const app = await makeApp({ ...APP, 'lib/index.js': IMPORT_ALL });
        const { code, out, err } = await run(app, ['list-background-jobs', '--json']);
        assert.equal(code, 0, err);
        assert.deepEqual(JSON.parse(out).jobs, []);
        assert.equal(err, 'lib/index.js does not import pinstripe-bot yet: run npx pinstripe-bot init\n');
    });

    test('works in a project without an entry, and says how to get one', async () => {
        const app = await makeApp({ 'package.json': '{ "name": "shop" }' });
        const { code, err } = await run(app, ['list-jobs']);
        assert.deepEqual(
            [code, err],
            [0, 'this project has no entry that imports pinstripe-bot: run npx pinstripe-bot init\n'],
        );
        const init = await run(app, ['init']);
        assert.deepEqual([init.code, init.err], [1, '']);
        assert.match(init.out, /created: +import 'pinstripe-bot'; in lib\/index\.js\n/);
        assert.match(init.out, /by hand: +"type": "module" in package\.json\n +by hand: +"exports": \{ "\."/);
        assert.match(init.out, /\n {2}npx pinstripe-bot generate-background-job --name my-task\n/);
    });

    const endings: [string[], number, RegExp][] = [
        [['shwo'], 2, /^unknown command 'shwo' \(did you mean show\?\)\n$/],
        [['show'], 2, /^--word: Must not be blank\nRun npx pinstripe-bot show --help for its options\.\n$/],
        [['start-server', '--host', 'nonsense'], 2, /^--host: "nonsense" is not a host and port/],
        [['fail'], 1, /^no paint\n {4}at lib\/commands\/fail\.js:2:18\n$/],
        [['seven'], 7, /^x\n/],
        [['save'], 1, /^email: Must not be blank\n$/],
        [['hang'], 1, /^the command waits for something that will never happen\n$/],
    ];
    for (const [words, exitCode, message] of endings) {
        test(`ends ${words.join(' ')} with exit code ${exitCode}, and says why`, async () => {
            const { code, out, err } = await run(await makeApp({ ...APP, ...COMMANDS }), words);
            assert.deepEqual([code, out], [exitCode, '']);
            assert.match(err, message);
        });
    }

    test('colours for a terminal only, and never against NO_COLOR', async () => {
        const app = await makeApp(APP);
        assert.ok((await run(app, ['list-commands'], { FORCE_COLOR: '1' })).out.includes(ESCAPE));
        for (const words of [['list-commands'], ['nonsense']]) {
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
});

describe('pinstripe-bot in a project that cannot be loaded', { concurrency: 2 }, () => {
    const projects: [string, Record<string, string>, RegExp][] = [
        [
            'a syntax error, in the words of Node',
            { 'lib/shop/till.js': '\nconst 1 = 2;' },
            /^the project cannot be loaded:\nfile:\/\/\S+\/lib\/shop\/till\.js:2\nconst 1 = 2;\n/,
        ],
        [
            'an import from an older framework',
            { [IMPORTER]: OLD_IMPORTER },
            /^the project cannot be loaded \(import BackgroundJob from 'pinstripe-bot'\):\nfile:\S+_file_importer\.js:1\n/,
        ],
        [
            'a missing package',
            { 'lib/till.js': "import 'till';" },
            /^the project cannot be loaded: Cannot find package 'till' imported from \S+\/lib\/till\.js\n$/,
        ],
        [
            'code that throws',
            { 'lib/till.js': "\nthrow new Error('empty');" },
            /^the project cannot be loaded: empty\n {4}at lib\/till\.js:2:7\n$/,
        ],
        [
            'code that throws while the entry still waits',
            {
                'lib/till.js': "throw new Error('empty');",
                'lib/index.js': `${IMPORT_ALL}await new Promise((done) => setTimeout(done, 500));`,
            },
            /lib\/till\.js:1/,
        ],
    ];
    for (const [what, files, reason] of projects) {
        test(`fails, and names the file and the reason: ${what}`, async () => {
            const { code, out, err } = await run(await makeApp({ ...APP, ...files }), ['list-commands']);
            assert.deepEqual([code, out], [1, ''], err);
            assert.match(err, reason);
        });
    }

    test('repairs the file importer of an older framework by init', async () => {
        const app = await makeApp({ ...APP, [IMPORTER]: OLD_IMPORTER });
        assert.equal((await run(app, ['init'])).code, 0);
        const { code, err } = await run(app, ['list-background-jobs']);
        assert.deepEqual([code, err], [0, '']);
    });
});

describe('pinstripe-bot outside of a project', { concurrency: 2 }, () => {
    test('has only the commands that make a project', async () => {
        const empty = await makeFolder({});
        const { code, out, err } = await run(empty, []);
        assert.equal(code, 0);
        assert.match(out, /^Project:\n {2}generate-project[\s\S]*list-commands/m);
        assert.doesNotMatch(out, /start-server/);
        assert.equal(err, `not in a project: there is no package.json in ${empty} or above it\n`);
        assert.equal((await run(empty, ['list-commands'])).code, 0);
        assert.equal((await run(empty, ['init'])).code, 1);
    });

    test('takes a package.json without a name for no project, as the framework does', async () => {
        const { code, err } = await run(await makeFolder({ 'package.json': '{}' }), ['list-background-jobs']);
        assert.equal(code, 1);
        assert.match(err, /^list-background-jobs needs a project: .*package\.json has no "name"\n$/);
    });
});

describe('the packages of a project', () => {
    const problems: [string, Record<string, string>, RegExp][] = [
        ['without any', {}, /^pinstripe is not installed in \S+: run npm install pinstripe$/],
        [
            'without pinstripe-bot',
            fakePackage('pinstripe'),
            /^pinstripe-bot is not installed in \S+: run npm install pinstripe-bot$/,
        ],
        [
            'with another copy of pinstripe-bot than the one that runs',
            { ...fakePackage('pinstripe'), ...fakePackage('pinstripe-bot') },
            /^this is not the copy of pinstripe-bot that is installed in \S+: run npx pinstripe-bot there$/,
        ],
    ];
    for (const [what, files, message] of problems)
        test(`have to be installed: ${what}`, async () => {
            const project = await findProject(await makeFolder({ ...APP, ...files }));
            assert.throws(() => checkPackages(project as ProjectFolder), { message });
        });

    test('have to share one framework', async () => {
        const app = await makeFolder({ ...APP, ...fakePackage('pinstripe') });
        await link(app, 'pinstripe-bot', PACKAGE);
        const project = await findProject(app);
        assert.throws(() => checkPackages(project as ProjectFolder), {
            message: `There are two copies of pinstripe in this process, ${join(PACKAGE, 'node_modules/pinstripe')} and ${join(app, 'node_modules/pinstripe')}: jobs and commands of one are missing in the other. Install pinstripe in the app only, run \`npm dedupe\`, and look at \`npm ls pinstripe\`.`,
        });
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

function fakePackage(name: string): Record<string, string> {
    const folder = `node_modules/${name}`;
    return { [`${folder}/package.json`]: '{ "main": "lib/index.js" }', [`${folder}/lib/index.js`]: '' };
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
