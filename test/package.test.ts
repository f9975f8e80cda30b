import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import fs from 'fs-extra';
import { AppProcess } from './support/app_process.js';
import { FILE_IMPORTER, makeApp } from './support/installed_app.js';
import { INSTALLED, PACKAGE, TARBALL } from './support/pack.js';

const INSTALLED_PACKAGE = join(INSTALLED, 'node_modules/pinstripe-bot');

describe('the packed package', { concurrency: 2 }, () => {
    test('has what it needs and nothing else, and every picture and page that its README names', async () => {
        const words = ['pack', '--dry-run', '--json', '--ignore-scripts'];
        const { stdout } = await promisify(execFile)('npm', words, { cwd: PACKAGE });
        const [{ files }] = JSON.parse(stdout) as [{ files: { path: string; size: number }[] }];
        const paths = files.map(({ path }) => path);
        const readme = await fs.readFile(join(PACKAGE, 'README.md'), 'utf8');
        const named = [...readme.matchAll(/\]\(((?:docs|[A-Z]+\.md)[^)#]*)/g)].map(
            ([, path]) => path as string,
        );
        assert.ok(named.length > 10);
        for (const file of [
            ...named,
            'dist/bin/pinstripe_bot.js',
            'dist/lib/index.d.ts',
            'dist/lib/index.js',
            'dist/lib/testing.js',
            'lib/dashboard/page.css',
            'lib/dashboard/page.js',
            'schemas/output.schema.json',
            'templates/background_job.js.template',
        ]) {
            assert.ok(paths.includes(file), `no ${file}`);
        }
        const folders =
            /^dist\/(bin|commands|lib|types)\/|^(schemas|templates)\/|^lib\/dashboard\/page\.(css|js)$|^docs\/.*\.(md|png)$/;
        const others = paths.filter((file) => !folders.test(file));
        const texts = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'];
        assert.deepEqual(others.sort(), texts);
        assert.deepEqual(
            paths.filter((file) => /test\.(js|d\.ts)|bench|fixture|\.tsbuildinfo/.test(file)),
            [],
        );
        const docs = files.filter(({ path }) => path.startsWith('docs/'));
        const size = docs.reduce((sum, { size }) => sum + size, 0);
        assert.ok(size < 2_000_000, `the docs have ${size} bytes`);
    });

    test('imports no package that it does not name', async () => {
        const manifest = await fs.readJson(join(PACKAGE, 'package.json'));
        const named = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
        const specifiers = await importsOf('.js');
        assert.ok(specifiers.includes('croner') && specifiers.includes('pinstripe'));
        for (const specifier of specifiers) {
            if (specifier.startsWith('node:') || specifier.startsWith('.')) continue;
            const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
            assert.ok(named.includes(name), `${specifier} is imported, and no dependency`);
        }
    });

    test('has types that do not need those of the framework, which has none', async () => {
        for (const specifier of await importsOf('.d.ts')) {
            assert.doesNotMatch(specifier, /^(pinstripe|haberdash|@pinstripe\/.*)$/);
        }
    });

    const tools: [name: string, ...words: string[]][] = [
        ['publint/src/cli.js', 'run', TARBALL, '--strict'],
        ['@arethetypeswrong/cli/dist/index.js', TARBALL, '--profile', 'esm-only'],
    ];
    for (const [name, ...words] of tools) {
        test(`passes ${name}`, async () => {
            const { code, stdout, stderr } = await tool(name, ...words).ended();
            assert.equal(code, 0, stdout + stderr);
        });
    }
});

describe('an app', { concurrency: 2 }, () => {
    for (const language of ['typescript', 'javascript']) {
        test(`in ${language} has its jobs checked, and the types of the package, too`, async () => {
            const app = await makeApp();
            await fs.copy(join(PACKAGE, 'test/types', `${language}_app`), app.root);
            const { code, stdout } = await tool('typescript/bin/tsc', '-p', app.root).ended();
            assert.deepEqual([code, stdout], [0, '']);
        });
    }

    test('in typescript has a generated job checked, too', async () => {
        const app = await makeApp();
        await fs.copy(
            join(PACKAGE, 'test/types/typescript_app/tsconfig.json'),
            join(app.root, 'tsconfig.json'),
        );
        const options = ['--typescript', '--schedule', '0 2 * * *', '--timezone', 'Europe/London'];
        await app.run('pinstripe', ['generate-background-job', 'my-task', ...options]);
        const { code, stdout } = await tool('typescript/bin/tsc', '-p', app.root).ended();
        assert.deepEqual([code, stdout], [0, '']);
    });
});

describe('an app without BullMQ', () => {
    test('works, and is told what to install when it asks for the engine', async () => {
        const config = (bot: object) => `export default ${JSON.stringify({ bot })};\n`;
        const app = await makeApp({
            'pinstripe.config.js': config({ journal: false }),
            'lib/background_jobs/_file_importer.js': FILE_IMPORTER,
            'lib/background_jobs/greet.js': `export default { run(){ console.log('hello'); } };\n`,
        });
        const embedded = await app.run('pinstripe-bot', ['run-background-job', 'greet']);
        assert.deepEqual([embedded.code, /hello/.test(embedded.stdout)], [0, true], embedded.stderr);
        await app.write({
            'pinstripe.config.js': config({ engine: 'bullmq', redis: 'redis://:hunter2@127.0.0.1:1' }),
        });
        const { code, stderr } = await app.run('pinstripe-bot', ['run-background-job', 'greet']);
        assert.equal(code, 1);
        assert.match(stderr, /needs two packages that are not installed: run `npm install bullmq ioredis`/);
        assert.doesNotMatch(stderr, /hunter2/);
    });
});

function tool(path: string, ...args: string[]): AppProcess {
    return new AppProcess(process.execPath, [join(PACKAGE, 'node_modules', path), ...args], { cwd: PACKAGE });
}

async function importsOf(extension: '.js' | '.d.ts'): Promise<string[]> {
    const files = (await filesBelow(INSTALLED_PACKAGE)).filter((file) => file.endsWith(extension));
    const sources = await Promise.all(
        files.map((file) => fs.readFile(join(INSTALLED_PACKAGE, file), 'utf8')),
    );
    const imports =
        /^(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/gm;
    return sources.flatMap((source) => [...source.matchAll(imports)].map(([, ...names]) => names.join('')));
}

async function filesBelow(folder: string): Promise<string[]> {
    const entries = await fs.readdir(folder, { withFileTypes: true, recursive: true });
    return (
        entries
            .filter((entry) => entry.isFile())
            .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
            // npm puts a dependency here of which the app has another version above.
            .filter((file) => !file.startsWith('node_modules/'))
    );
}
