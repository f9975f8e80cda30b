import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fs from 'fs-extra';
import { BINARIES, type InstalledApp, makeApp } from '../support/installed_app.js';

describe('two copies in one process', { concurrency: 2 }, () => {
    for (const binary of BINARIES) {
        test(`of the framework are named, with the cure (${binary})`, async () => {
            const app = await makeApp();
            const { root } = app;
            await ownModules(app);
            const nested = join(root, 'node_modules/pinstripe-bot/node_modules/pinstripe');
            await fs.copy(join(root, 'node_modules/pinstripe'), nested, { dereference: true });
            const { code, stdout, stderr } = await app.run(binary, ['list-background-jobs']);
            assert.deepEqual([code, stdout], [1, '']);
            const places = `${nested} and ${await fs.realpath(join(root, 'node_modules/pinstripe'))}`;
            assert.ok(
                stderr.includes(`There are two copies of pinstripe in this process, ${places}: `),
                stderr,
            );
            assert.match(stderr, /npm dedupe/);
        });
    }

    test('of pinstripe-bot are named, with the cure', async () => {
        const app = await makeApp({
            'lib/index.js': `
                import 'pinstripe-bot';
                import '../plugin/index.js';
                import { importAll } from 'pinstripe';
                importAll(import.meta.url);`,
            'plugin/index.js': "import 'pinstripe-bot';",
        });
        const copy = join(app.root, 'plugin/node_modules/pinstripe-bot');
        await fs.copy(join(app.root, 'node_modules/pinstripe-bot'), copy, { dereference: true });
        for (const binary of BINARIES) {
            const { code, stderr } = await app.run(binary, ['list-background-jobs']);
            assert.equal(code, 1);
            assert.match(stderr, /two copies of pinstripe-bot in this process/);
            assert.ok(stderr.includes(copy), stderr);
            assert.match(stderr, /npm dedupe/);
        }
    });
});

/** Gives an app a `node_modules` of its own, in which `pinstripe-bot` is a folder and all else are links. */
async function ownModules({ root }: InstalledApp): Promise<void> {
    const modules = join(root, 'node_modules');
    const installed = await fs.realpath(modules);
    await fs.remove(modules);
    await fs.ensureDir(modules);
    for (const name of await fs.readdir(installed)) {
        if (!['pinstripe-bot', '.bin'].includes(name))
            await fs.symlink(join(installed, name), join(modules, name));
    }
    await fs.copy(join(installed, 'pinstripe-bot'), join(modules, 'pinstripe-bot'));
    await fs.ensureDir(join(modules, '.bin'));
    await fs.symlink('../pinstripe/cli.js', join(modules, '.bin/pinstripe'));
    await fs.symlink('../pinstripe-bot/dist/bin/pinstripe_bot.js', join(modules, '.bin/pinstripe-bot'));
}
