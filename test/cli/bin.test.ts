import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import fs from 'fs-extra';
import { checkPackages, findProject, type ProjectFolder } from '../../lib/cli/project.js';
import { makeFolder } from '../support/app_folder.js';
import { AppProcess, type Ended } from '../support/app_process.js';
import { FILE_IMPORTER, type InstalledApp, makeApp } from '../support/installed_app.js';
import { PACKAGE } from '../support/pack.js';

const BINARY = join(PACKAGE, 'dist/bin/pinstripe_bot.js');
const ESCAPE = '\u001b[';
const IMPORT_ALL = "import { importAll } from 'pinstripe';\nimportAll(import.meta.url);\n";
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

test('a build leaves an executable: npm links it before it is built, and gives it no right then', async () => {
    await fs.access(BINARY, fs.constants.X_OK);
});

describe('pinstripe-bot in a project', { concurrency: 2 }, () => {
    let app: InstalledApp;
    before(async () => {
        app = await makeApp(COMMANDS);
    });

    test('lists init first, then the commands of the bot and those of the project, and says what start-server starts', async () => {
        const { code, stdout, stderr } = await app.run('pinstripe-bot', []);
        assert.deepEqual([code, stderr], [0, '']);
        assert.match(
            stdout,
            /^Setup:\n {2}init [\s\S]*^Background jobs:\n {2}check-background-jobs [\s\S]*^Project:\n[\s\S]*^ {2}show\n/m,
        );
        assert.match(stdout, /^ {2}start-server +Starts the web server, the bot, which runs/m);
        assert.doesNotMatch(stdout, /generate-project|initialize-project/);
        assert.ok(!stdout.includes(ESCAPE));
    });

    test('runs a command with its parameters, from any folder of the project', async () => {
        const ended = await runAlone(join(app.root, 'lib'), 'show', 'one', '--is-loud', 'false');
        const message = `this is not the copy of pinstripe-bot that is installed in ${app.root}: run npx pinstripe-bot there\n`;
        assert.deepEqual(ended, { code: 1, stdout: '', stderr: message });
        const executable = join(app.root, 'node_modules/.bin/pinstripe-bot');
        const words = [executable, 'show', 'one', '--is-loud', 'false'];
        const own = new AppProcess(process.execPath, words, { cwd: join(app.root, 'lib') });
        const shown = '{"isLoud":false,"word":"one"}\n';
        assert.deepEqual(await own.ended(), { code: 0, stdout: shown, stderr: '' });
    });

    test('prints the version of its own package', async () => {
        const { version } = await fs.readJson(join(PACKAGE, 'package.json'));
        const ended = await app.run('pinstripe-bot', ['--version']);
        assert.deepEqual(ended, { code: 0, stdout: `${version}\n`, stderr: '' });
    });

    test('works before the app imports the plugin, and says how it comes to do so', async () => {
        const words = ['list-background-jobs', '--json'];
        const { code, stdout, stderr } = await runIn({ 'lib/index.js': IMPORT_ALL }, ...words);
        assert.equal(code, 0, stderr);
        assert.deepEqual(JSON.parse(stdout).jobs, []);
        assert.equal(stderr, 'lib/index.js does not import pinstripe-bot yet: run npx pinstripe-bot init\n');
    });

    test('works in a project without an entry, and says how to get one', async () => {
        const bare = await makeApp({ 'package.json': '{ "name": "shop" }' });
        await fs.remove(join(bare.root, 'lib'));
        const { code, stderr } = await bare.run('pinstripe-bot', ['list-jobs']);
        assert.deepEqual(
            [code, stderr],
            [0, 'this project has no entry that imports pinstripe-bot: run npx pinstripe-bot init\n'],
        );
    });

    const endings: [string[], number, RegExp][] = [
        [['shwo'], 2, /^unknown command 'shwo' \(did you mean show\?\)\n$/],
        [['show'], 2, /^--word: Must not be blank\nRun npx pinstripe-bot show --help for its options\.\n$/],
        [['fail'], 1, /^no paint\n {4}at lib\/commands\/fail\.js:2:18\n$/],
        [['seven'], 7, /^x\n/],
        [['save'], 1, /^email: Must not be blank\n$/],
        [['hang'], 1, /^the command waits for something that will never happen\n$/],
    ];
    for (const [words, exitCode, message] of endings) {
        test(`ends ${words.join(' ')} with exit code ${exitCode}, and says why`, async () => {
            const isEndless = words[0] === 'hang';
            const { code, stdout, stderr } = await (isEndless
                ? app.run('pinstripe-bot', words)
                : app.call(words));
            assert.deepEqual([code, stdout], [exitCode, '']);
            assert.match(stderr, message);
        });
    }

    test('prints no colours against NO_COLOR', async () => {
        for (const word of ['list-commands', 'nonsense']) {
            const env = { FORCE_COLOR: '1', NO_COLOR: '1' };
            const { stdout, stderr } = await app.run('pinstripe-bot', [word], env);
            assert.ok(!(stdout + stderr).includes(ESCAPE));
        }
    });

    test('survives a reader that goes away', async () => {
        const command = 'set -o pipefail; node_modules/.bin/pinstripe-bot --help | true';
        const { code, stderr } = await new AppProcess('bash', ['-c', command], { cwd: app.root }).ended();
        assert.deepEqual([code, stderr], [0, '']);
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
            const { code, stdout, stderr } = await runIn(files, 'list-commands');
            assert.deepEqual([code, stdout], [1, ''], stderr);
            assert.match(stderr, reason);
        });
    }

    test('repairs the file importer of an older framework by init', async () => {
        const app = await makeApp({ [IMPORTER]: OLD_IMPORTER });
        assert.equal((await app.run('pinstripe-bot', ['init'])).code, 0);
        assert.equal(await app.read(IMPORTER), FILE_IMPORTER);
        const { code, stderr } = await app.run('pinstripe-bot', ['list-background-jobs']);
        assert.deepEqual([code, stderr], [0, '']);
    });
});

describe('pinstripe-bot outside of a project', { concurrency: 2 }, () => {
    test('has only the commands that make a project', async () => {
        const empty = await folderOf({});
        const { code, stdout, stderr } = await runAlone(empty);
        assert.equal(code, 0);
        assert.match(stdout, /^Project:\n {2}generate-project[\s\S]*list-commands/m);
        assert.doesNotMatch(stdout, /start-server/);
        assert.equal(stderr, `not in a project: there is no package.json in ${empty} or above it\n`);
        assert.equal((await runAlone(empty, 'list-commands')).code, 0);
        assert.equal((await runAlone(empty, 'init')).code, 1);
    });

    test('takes a package.json without a name for no project, as the framework does', async () => {
        const { code, stderr } = await runAlone(
            await folderOf({ 'package.json': '{}' }),
            'list-background-jobs',
        );
        assert.equal(code, 1);
        assert.match(stderr, /^list-background-jobs needs a project: .*package\.json has no "name"\n$/);
    });
});

test('the packages of a project have to be installed', async () => {
    const problems: [Record<string, string>, RegExp][] = [
        [{}, /^pinstripe is not installed in \S+: run npm install pinstripe$/],
        [fakePackage('pinstripe'), /^pinstripe-bot is not installed in \S+: run npm install pinstripe-bot$/],
    ];
    for (const [files, message] of problems) {
        const project = await findProject(await folderOf({ 'package.json': '{ "name": "shop" }', ...files }));
        assert.throws(() => checkPackages(project as ProjectFolder), { message });
    }
});

/** Runs a command of `pinstripe-bot` in an app with the given files. */
async function runIn(files: Record<string, string>, ...words: string[]): Promise<Ended> {
    return (await makeApp(files)).run('pinstripe-bot', words);
}

/** Runs the executable where nothing is installed. */
function runAlone(cwd: string, ...words: string[]): Promise<Ended> {
    return new AppProcess(process.execPath, [BINARY, ...words], { cwd }).ended();
}

async function folderOf(files: Record<string, string>): Promise<string> {
    const { root, write } = await makeFolder();
    await write(files);
    return root;
}

function fakePackage(name: string): Record<string, string> {
    const folder = `node_modules/${name}`;
    return { [`${folder}/package.json`]: '{ "main": "lib/index.js" }', [`${folder}/lib/index.js`]: '' };
}
