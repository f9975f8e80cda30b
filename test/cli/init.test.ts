import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import fs from 'fs-extra';
import { init } from '../../lib/cli/init.js';
import { findProject } from '../../lib/cli/project.js';

const IMPORT = "import 'pinstripe-bot';";
const MANIFEST = { name: 'shop', type: 'module', exports: { '.': './lib/index.js' } };
const ENTRY = "\nimport { importAll } from 'pinstripe';\n\nimportAll(import.meta.url);\n";
const IMPORTER = 'lib/background_jobs/_file_importer.js';
const IMPORTER_LINE = "export { BackgroundJob as default } from 'pinstripe-bot';\n";

let root: string;

beforeEach(async () => {
    root = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'pinstripe-bot-init-')));
});

afterEach(() => fs.remove(root));

describe('init', () => {
    test('adds the import to the entry, and the journal to .gitignore, once', async () => {
        await write({ 'package.json': MANIFEST, 'lib/index.js': ENTRY, '.gitignore': 'node_modules' });
        assert.deepEqual(await run(), { changed: ['lib/index.js', '.gitignore'] });
        assert.equal(await read('lib/index.js'), `${IMPORT}\n${ENTRY}`);
        assert.equal(await read('.gitignore'), 'node_modules\nbot_*.db*\n');
        assert.deepEqual(await run(), { 'already there': ['lib/index.js', '.gitignore'] });
    });

    test('writes what is absent', async () => {
        await write({ 'package.json': MANIFEST, 'lib/background_jobs/a.js': '' });
        assert.deepEqual(await run(), { created: ['lib/index.js', IMPORTER, '.gitignore'] });
        assert.equal(await read('lib/index.js'), IMPORT + ENTRY);
        assert.equal(await read(IMPORTER), IMPORTER_LINE);
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
        assert.equal(await read('lib/index.js'), crlf(`${IMPORT}\n${ENTRY}`));
        assert.equal(await read('.gitignore'), 'node_modules\r\n*.log\r\nbot_*.db*\r\n');
    });

    for (const there of [
        `${IMPORT}\n`,
        'import "pinstripe-bot"',
        "\r\n  import { Bot } from 'pinstripe-bot';",
    ])
        test(`takes ${JSON.stringify(there)} for the import`, async () => {
            await write({ 'package.json': MANIFEST, 'lib/index.js': there });
            assert.deepEqual(await run(), { 'already there': ['lib/index.js'], created: ['.gitignore'] });
        });

    for (const other of [
        '',
        `// ${IMPORT}`,
        "import 'pinstripe-bot/testing';",
        "import './pinstripe-bot.js';",
    ])
        test(`does not take ${JSON.stringify(other)} for the import`, async () => {
            await write({ 'package.json': MANIFEST, 'lib/index.js': other });
            await run();
            assert.equal(await read('lib/index.js'), `${IMPORT}\n${other}`);
        });

    for (const ignored of ['bot_*.db*', '/bot_*.db*', '  bot_*.db*\r\nother'])
        test(`takes ${JSON.stringify(ignored)} in .gitignore for there already`, async () => {
            await write({ 'package.json': MANIFEST, 'lib/index.js': IMPORT, '.gitignore': ignored });
            assert.deepEqual(await run(), { 'already there': ['lib/index.js', '.gitignore'] });
        });

    test('repairs the file importer of an older framework', async () => {
        await write({
            'package.json': MANIFEST,
            [IMPORTER]: "\nexport { BackgroundJob as default } from 'pinstripe';\n\n",
        });
        await run();
        assert.equal(await read(IMPORTER), IMPORTER_LINE);
    });

    const unsafe: [string, Record<string, string | object>, string[]][] = [
        [
            'an entry that may be CommonJS',
            { 'package.json': { ...MANIFEST, type: undefined }, 'lib/index.js': "require('x');" },
            ['lib/index.js', 'package.json'],
        ],
        [
            'an entry that a shell may start',
            { 'package.json': MANIFEST, 'lib/index.js': '#!/usr/bin/env node\n' },
            ['lib/index.js'],
        ],
        [
            'a package.json that names no entry',
            { 'package.json': { ...MANIFEST, exports: { '.': { import: './lib/index.js' } } } },
            ['package.json'],
        ],
        [
            'a file importer of another registry',
            { 'package.json': MANIFEST, [IMPORTER]: "export { Job as default } from 'pinstripe';" },
            [IMPORTER],
        ],
    ];
    for (const [what, files, left] of unsafe)
        test(`leaves ${what} to its author, and says which line to add`, async () => {
            await write(files);
            assert.deepEqual((await run())['by hand'], left);
            for (const file of left) assert.equal(await read(file), textOf(files[file] as string | object));
        });

    test('refuses an entry that does not exist, and writes nothing', async () => {
        await write({ 'package.json': { ...MANIFEST, exports: './dist/index.js' } });
        await assert.rejects(run(), /starts in dist\/index\.js, and there is no such file/);
        assert.deepEqual(await fs.readdir(root), ['package.json']);
    });

    test('refuses a package.json that is not JSON', async () => {
        await write({ 'package.json': '{ name: 1 }' });
        await assert.rejects(run(), /package\.json is not valid JSON/);
    });
});

/** Runs `init` and lists the files by what it has done about them. */
async function run(): Promise<Record<string, string[]>> {
    const project = await findProject(root);
    assert.ok(project);
    const files: Record<string, string[]> = {};
    for (const { state, file } of await init(project)) files[state] = [...(files[state] ?? []), file];
    return files;
}

async function write(files: Record<string, string | object>): Promise<void> {
    for (const [file, content] of Object.entries(files))
        await fs.outputFile(join(root, file), textOf(content));
}

function textOf(content: string | object): string {
    return typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
}

function read(file: string): Promise<string> {
    return fs.readFile(join(root, file), 'utf8');
}
