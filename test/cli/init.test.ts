import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import fs from 'fs-extra';
import { repairFileImporter } from '../../lib/cli/file_importer_repair.js';
import { applyInit, planInit } from '../../lib/cli/init.js';
import { findProject, type ProjectFolder } from '../../lib/cli/project.js';
import { addImport, isCommonJs, maskSource, specifiersOf } from '../../lib/cli/source_code.js';

const IMPORT = "import 'pinstripe-bot';";
const MANIFEST = { name: 'shop', type: 'module', exports: { '.': './lib/index.js' } };
const ENTRY = "\nimport { importAll } from 'pinstripe';\n\nimportAll(import.meta.url);\n";

let root: string;

beforeEach(async () => {
    root = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'pinstripe-bot-init-')));
});

afterEach(() => fs.remove(root));

describe('init', () => {
    test('adds the import below the imports of the entry, and the journal to .gitignore', async () => {
        await write({ 'package.json': MANIFEST, 'lib/index.js': ENTRY, '.gitignore': 'node_modules\n' });
        assert.deepEqual(await init(), ['lib/index.js', '.gitignore']);
        assert.equal(
            await read('lib/index.js'),
            `\nimport { importAll } from 'pinstripe';\n${IMPORT}\n\nimportAll(import.meta.url);\n`,
        );
        assert.equal(await read('.gitignore'), 'node_modules\nbot_*.db*\n');
    });

    test('changes nothing when it is repeated', async () => {
        await write({ 'package.json': { name: 'shop', type: 'module' }, 'lib/background_jobs/a.js': '' });
        assert.deepEqual(await init(), [
            'lib/index.js',
            'package.json',
            'lib/background_jobs/_file_importer.js',
            '.gitignore',
        ]);
        assert.deepEqual(await init(), []);
    });

    test('makes an entry as generate-project does, and names it in package.json, where there is none', async () => {
        await write({ 'package.json': '{\r\n    "name": "shop",\r\n    "type": "module"\r\n}' });
        await init();
        assert.equal(
            await read('lib/index.js'),
            `${IMPORT}\nimport { importAll } from 'pinstripe';\n\nimportAll(import.meta.url);\n`,
        );
        assert.equal(
            await read('package.json'),
            '{\r\n    "name": "shop",\r\n    "type": "module",\r\n    "exports": {\r\n        ".": "./lib/index.js"\r\n    }\r\n}',
        );
    });

    test('keeps the other exports of package.json', async () => {
        await write({ 'package.json': { name: 'shop', type: 'module', exports: { './jobs': './jobs.js' } } });
        await init();
        const { exports } = JSON.parse(await read('package.json'));
        assert.deepEqual(exports, { './jobs': './jobs.js', '.': './lib/index.js' });
    });

    test('edits the entry that package.json names', async () => {
        await write({ 'package.json': { ...MANIFEST, exports: './app/start.js' }, 'app/start.js': ENTRY });
        assert.deepEqual(await init(), ['app/start.js', '.gitignore']);
    });

    test('keeps the line ends of every file', async () => {
        const crlf = (text: string): string => text.replaceAll('\n', '\r\n');
        await write({
            'package.json': MANIFEST,
            'lib/index.js': crlf(ENTRY),
            '.gitignore': 'node_modules\r\n*.log',
        });
        await init();
        assert.doesNotMatch(await read('lib/index.js'), /[^\r]\n/);
        assert.equal(await read('.gitignore'), 'node_modules\r\n*.log\r\nbot_*.db*\r\n');
    });

    test('repairs a file importer that takes BackgroundJob from pinstripe', async () => {
        const importer = 'lib/background_jobs/_file_importer.js';
        await write({
            'package.json': MANIFEST,
            'lib/index.js': `${IMPORT}\n`,
            [importer]: "\nexport { BackgroundJob as default } from 'pinstripe';\n",
        });
        assert.deepEqual(await init(), [importer, '.gitignore']);
        assert.equal(await read(importer), "\nexport { BackgroundJob as default } from 'pinstripe-bot';\n");
    });

    test('leaves a file importer of another registry alone', async () => {
        const importer = 'lib/background_jobs/_file_importer.js';
        await write({
            'package.json': MANIFEST,
            'lib/index.js': IMPORT,
            [importer]: "export { x } from './x.js';",
        });
        assert.deepEqual(await init(), ['.gitignore']);
    });

    for (const ignored of ['bot_*.db*', '/bot_*.db*', '  bot_*.db*\r\nother']) {
        test(`takes ${JSON.stringify(ignored)} in .gitignore for there already`, async () => {
            await write({ 'package.json': MANIFEST, 'lib/index.js': IMPORT, '.gitignore': ignored });
            assert.deepEqual(await init(), []);
        });
    }

    const refusals: [string, Record<string, string | object>, RegExp][] = [
        [
            'an entry in CommonJS',
            { 'package.json': { name: 'a' }, 'lib/index.js': "require('x');" },
            /CommonJS/,
        ],
        [
            'an entry that is CommonJS by its extension',
            { 'package.json': { name: 'a', exports: './a.cjs' }, 'a.cjs': '' },
            /a\.cjs is a CommonJS module/,
        ],
        [
            'a project of CommonJS modules without an entry',
            { 'package.json': { name: 'a' } },
            /"type": "module"/,
        ],
        ['a package without a name', { 'package.json': { type: 'module' } }, /no "name"/],
        [
            'an entry that does not exist',
            { 'package.json': { ...MANIFEST, exports: './dist/index.js' } },
            /starts in \.\/dist\/index\.js, and there is no such file/,
        ],
        [
            'an entry by conditions',
            {
                'package.json': { ...MANIFEST, exports: { '.': { import: './lib/index.js' } } },
                'lib/index.js': ENTRY,
            },
            /not a plain string/,
        ],
        ['a package.json that is not JSON', { 'package.json': '{ name: 1 }' }, /not valid JSON/],
    ];
    for (const [what, files, reason] of refusals) {
        test(`refuses ${what}, and changes nothing`, async () => {
            await write(files);
            const before = await fs.readdir(root, { recursive: true });
            await assert.rejects(init(), reason);
            assert.deepEqual(await fs.readdir(root, { recursive: true }), before);
        });
    }

    test('gives the files back their contents when one of them cannot be written', async () => {
        await write({ 'package.json': MANIFEST, 'lib/index.js': ENTRY });
        const found = await project();
        const steps = await planInit(found);
        await fs.mkdir(join(root, '.gitignore'));
        await assert.rejects(applyInit(found, steps));
        assert.equal(await read('lib/index.js'), ENTRY);
    });
});

describe('the source of a file', () => {
    test('has no code in comments, strings, templates and regular expressions', () => {
        const code = '#!/usr/bin/env node\n// a\n/* b\n b */ c("d", \'e\', `f\n$`, /[/*]"/); h // i';
        assert.equal(
            maskSource(code),
            '                   \n    \n    \n      c(" ", \' \', ` \n `,        ); h     ',
        );
    });

    test('is as long, and has the same lines, without them', () => {
        const piece = fc.constantFrom(
            '//',
            '/*',
            '*/',
            "'",
            '"',
            '`',
            '\\',
            '\n',
            '\r\n',
            '/',
            '(',
            'import',
            ' ',
            '${',
            '}',
        );
        fc.assert(
            fc.property(fc.array(piece), (pieces) => {
                const code = pieces.join('');
                const mask = maskSource(code);
                assert.equal(mask.length, code.length);
                assert.equal(mask.replace(/[^\r\n]/g, ''), code.replace(/[^\r\n]/g, ''));
            }),
        );
    });

    const imports: [string, string[]][] = [
        ["import 'pinstripe-bot'", ['pinstripe-bot']],
        ['import"pinstripe-bot"', ['pinstripe-bot']],
        ["import { BackgroundJob } from 'pinstripe-bot';", ['pinstripe-bot']],
        ["export { BackgroundJob as default } from 'pinstripe-bot';", ['pinstripe-bot']],
        ["await import( 'pinstripe-bot' );", ['pinstripe-bot']],
        ["import 'pinstripe-bot/testing';", ['pinstripe-bot/testing']],
        ["import /* the bot */ 'pinstripe-bot';", ['pinstripe-bot']],
        ["// import 'pinstripe-bot';", []],
        ["/*\nimport 'pinstripe-bot';\n*/", []],
        ['const text = "import \'pinstripe-bot\'";', []],
        ["const url = 'http://x'; import 'pinstripe-bot';", ['pinstripe-bot']],
        ["Array.from('pinstripe-bot'); loader.import('pinstripe-bot');", []],
    ];
    for (const [code, specifiers] of imports) {
        test(`imports ${JSON.stringify(specifiers)} in ${JSON.stringify(code)}`, () => {
            assert.deepEqual(specifiersOf(code), specifiers);
        });
    }

    const additions: [string, string, string][] = [
        ['an empty file', '', `${IMPORT}\n`],
        ['a file of comments', '// nothing yet', `// nothing yet\n${IMPORT}\n`],
        [
            'code without imports',
            '#!/usr/bin/env node\n// start\nstart();\n',
            `#!/usr/bin/env node\n// start\n${IMPORT}\n\nstart();\n`,
        ],
        [
            'imports over several lines',
            "import {\n    a,\n} from 'a'; // the a\nimport b from 'b' with { type: 'json' };\n\nrun();",
            `import {\n    a,\n} from 'a'; // the a\nimport b from 'b' with { type: 'json' };\n${IMPORT}\n\nrun();`,
        ],
        ['code behind an import', "import 'a'; run(`\n`);\n", `${IMPORT}\nimport 'a'; run(\`\n\`);\n`],
        ['an import at the very end', "import 'a'", `import 'a'\n${IMPORT}`],
        ['a dynamic import only', "await import('a');\n", `${IMPORT}\n\nawait import('a');\n`],
        ['a re-export only', "export * from 'a';\n", `${IMPORT}\n\nexport * from 'a';\n`],
        ['a byte order mark', '\uFEFFrun();\n', `\uFEFF${IMPORT}\n\nrun();\n`],
    ];
    for (const [what, before, after] of additions) {
        test(`takes another import: ${what}`, () => assert.equal(addImport(before, IMPORT), after));
    }

    test('is CommonJS by what it does, not by what it mentions', () => {
        assert.equal(isCommonJs("const { importAll } = require('pinstripe');"), true);
        assert.equal(isCommonJs('module.exports = {};'), true);
        assert.equal(isCommonJs("// require('x')\nexport default 1;"), false);
        assert.equal(isCommonJs("import { createRequire } from 'node:module'; require('x');"), false);
        assert.equal(isCommonJs(''), false);
    });
});

describe('an old file importer', () => {
    const repairs: [string, string][] = [
        [
            'export { BackgroundJob as default } from "pinstripe"',
            'export { BackgroundJob as default } from "pinstripe-bot"',
        ],
        [
            "import { BackgroundJob } from 'pinstripe';\r\nexport default BackgroundJob;\r\n",
            "import { BackgroundJob } from 'pinstripe-bot';\r\nexport default BackgroundJob;\r\n",
        ],
        [
            "import { importAll, BackgroundJob as Jobs } from 'pinstripe';",
            "import { BackgroundJob as Jobs } from 'pinstripe-bot';\nimport { importAll } from 'pinstripe';",
        ],
        ["// export { BackgroundJob } from 'pinstripe';", "// export { BackgroundJob } from 'pinstripe';"],
        ["export { Job as default } from 'pinstripe';", "export { Job as default } from 'pinstripe';"],
        [
            "export { BackgroundJob as default } from 'pinstripe-bot';",
            "export { BackgroundJob as default } from 'pinstripe-bot';",
        ],
    ];
    for (const [before, after] of repairs) {
        test(`${JSON.stringify(before)} becomes ${JSON.stringify(after)}`, () => {
            assert.equal(repairFileImporter(before), after);
        });
    }
});

async function project(): Promise<ProjectFolder> {
    const found = await findProject(root);
    assert.ok(found);
    return found;
}

/** Runs `init` and lists the files that it changed. */
async function init(): Promise<string[]> {
    const found = await project();
    const steps = await planInit(found);
    await applyInit(found, steps);
    return steps.filter(({ before, after }) => before !== after).map(({ file }) => file);
}

async function write(files: Record<string, string | object>): Promise<void> {
    for (const [file, content] of Object.entries(files)) {
        const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
        await fs.outputFile(join(root, file), text);
    }
}

function read(file: string): Promise<string> {
    return fs.readFile(join(root, file), 'utf8');
}
