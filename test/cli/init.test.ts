import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { beforeEach, describe, test } from 'node:test';
import { init } from '../../lib/cli/init.js';
import { findProject } from '../../lib/cli/project.js';
import { type AppFolder, makeFolder } from '../support/app_folder.js';
import { FILE_IMPORTER } from '../support/installed_app.js';

const IMPORT = "import 'pinstripe-bot';";
const MANIFEST = { name: 'shop', type: 'module', exports: { '.': './lib/index.js' } };
const ENTRY = "\nimport { importAll } from 'pinstripe';\n\nimportAll(import.meta.url);\n";
const IMPORTER = 'lib/background_jobs/_file_importer.js';

let folder: AppFolder;

beforeEach(async () => {
    folder = await makeFolder();
});

describe('init', () => {
    test('adds the import to the entry, and the journal to .gitignore, once', async () => {
        await write({ 'package.json': MANIFEST, 'lib/index.js': ENTRY, '.gitignore': 'node_modules' });
        assert.deepEqual(await run(), { changed: ['lib/index.js', '.gitignore'] });
        assert.equal(await folder.read('lib/index.js'), `${IMPORT}\n${ENTRY}`);
        assert.equal(await folder.read('.gitignore'), 'node_modules\nbot_*.db*\n');
        assert.deepEqual(await run(), { 'already there': ['lib/index.js', '.gitignore'] });
    });

    test('writes what is absent', async () => {
        await write({ 'package.json': MANIFEST, 'lib/background_jobs/a.js': '' });
        assert.deepEqual(await run(), { created: ['lib/index.js', IMPORTER, '.gitignore'] });
        assert.equal(await folder.read('lib/index.js'), IMPORT + ENTRY);
        assert.equal(await folder.read(IMPORTER), FILE_IMPORTER);
    });

    test('edits the entry that package.json names', async () => {
        await write({ 'package.json': { ...MANIFEST, exports: './app/start.js' }, 'app/start.js': ENTRY });
        assert.deepEqual(await run(), { changed: ['app/start.js'], created: ['.gitignore'] });
    });

    test('keeps the line ends of every file', async () => {
        const crlf = (text: string): string => text.replaceAll('\n', '\r\n');
        const files = { 'lib/index.js': crlf(ENTRY), '.gitignore': 'node_modules\r\n*.log' };
        await write({ 'package.json': MANIFEST, ...files });
        await run();
        assert.equal(await folder.read('lib/index.js'), crlf(`${IMPORT}\n${ENTRY}`));
        assert.equal(await folder.read('.gitignore'), 'node_modules\r\n*.log\r\nbot_*.db*\r\n');
    });

    const lines: [file: string, text: string, isThere: boolean][] = [
        ['lib/index.js', `${IMPORT}\n`, true],
        ['lib/index.js', 'import "pinstripe-bot"', true],
        ['lib/index.js', "\r\n  import { Bot } from 'pinstripe-bot';", true],
        ['lib/index.js', '', false],
        ['lib/index.js', `// ${IMPORT}`, false],
        ['lib/index.js', "import 'pinstripe-bot/testing';", false],
        ['lib/index.js', "import './pinstripe-bot.js';", false],
        ['.gitignore', 'bot_*.db*', true],
        ['.gitignore', '/bot_*.db*', true],
        ['.gitignore', '  bot_*.db*\r\nother', true],
    ];
    for (const [file, text, isThere] of lines)
        test(`${isThere ? 'takes' : 'does not take'} ${JSON.stringify(text)} in ${file} for its line`, async () => {
            await write({ 'package.json': MANIFEST, 'lib/index.js': IMPORT, [file]: text });
            assert.equal((await run())['already there']?.includes(file) ?? false, isThere);
            assert.equal(await folder.read(file), isThere ? text : `${IMPORT}\n${text}`);
        });

    const commonJs = { ...MANIFEST, type: undefined };
    const noEntry = { ...MANIFEST, exports: { '.': { import: './lib/index.js' } } };
    const otherRegistry = "export { Job as default } from 'pinstripe';";
    const unsafe: [what: string, files: Record<string, string | object>, left: string[]][] = [
        [
            'an entry that may be CommonJS',
            { 'package.json': commonJs, 'lib/index.js': "require('x');" },
            ['lib/index.js', 'package.json'],
        ],
        ['an entry that a shell may start', { 'lib/index.js': '#!/usr/bin/env node\n' }, ['lib/index.js']],
        ['a package.json that names no entry', { 'package.json': noEntry }, ['package.json']],
        ['a file importer of another registry', { [IMPORTER]: otherRegistry }, [IMPORTER]],
    ];
    for (const [what, files, left] of unsafe)
        test(`leaves ${what} to its author, and says which line to add`, async () => {
            await write({ 'package.json': MANIFEST, ...files });
            assert.deepEqual((await run())['by hand'], left);
            for (const file of left)
                assert.equal(await folder.read(file), textOf(files[file] as string | object));
        });

    test('refuses an entry that does not exist, and what is no JSON, and writes nothing', async () => {
        await write({ 'package.json': { ...MANIFEST, exports: './dist/index.js' } });
        await assert.rejects(run(), /starts in dist\/index\.js, but there is no such file/);
        await write({ 'package.json': '{ name: 1 }' });
        await assert.rejects(run(), /package\.json is not valid JSON/);
        assert.deepEqual(await readdir(folder.root), ['package.json']);
    });
});

/** Runs `init` and lists the files by what it has done about them. */
async function run(): Promise<Record<string, string[]>> {
    const project = await findProject(folder.root);
    assert.ok(typeof project !== 'string');
    const files: Record<string, string[]> = {};
    for (const { state, file } of await init(project)) files[state] = [...(files[state] ?? []), file];
    return files;
}

async function write(files: Record<string, string | object>): Promise<void> {
    for (const [file, content] of Object.entries(files)) await folder.write({ [file]: textOf(content) });
}

function textOf(content: string | object): string {
    return typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
}
