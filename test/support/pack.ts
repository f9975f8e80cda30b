import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fs from 'fs-extra';

/** The root of this package. */
export const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));

// One folder for each checkout, outside of it: nothing above it may lend the app a package that ours forgot to name.
const PLACE = join(tmpdir(), `pinstripe-bot-e2e-${digest(PACKAGE)}`);

/** The packed package. */
export const TARBALL = join(PLACE, 'pinstripe-bot.tgz');

/** An app with the packed package installed from the tarball, as npm does it; without any file of its own. */
export const INSTALLED = join(PLACE, 'app');

/** How long this machine has taken to start a process with the framework, in milliseconds. */
export const PACE = join(PLACE, 'pace');

const STAMP = join(PLACE, 'stamp');
const INSTALL = 'install --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error'.split(' ');

/** Packs the package, and installs the tarball in a fresh app, unless that app has the very same one already. */
async function prepare(): Promise<void> {
    await fs.ensureDir(PLACE);
    console.log('packing the package');
    await npm(PACKAGE, 'pack', '--ignore-scripts', '--silent', '--pack-destination', PLACE);
    const { name, version } = await fs.readJson(join(PACKAGE, 'package.json'));
    await fs.move(join(PLACE, `${name}-${version}.tgz`), TARBALL, { overwrite: true });

    const manifest = await appManifest();
    const stamp = digest(await fs.readFile(TARBALL), JSON.stringify(manifest));
    if ((await fs.readFile(STAMP, 'utf8').catch(() => undefined)) === stamp)
        console.log('its app is up to date');
    else {
        console.log('installing the tarball in a fresh app');
        await fs.remove(INSTALLED);
        await fs.outputJson(join(INSTALLED, 'package.json'), manifest, { spaces: 4 });
        await npm(INSTALLED, ...INSTALL);
        await fs.writeFile(STAMP, stamp);
    }
    await fs.writeFile(PACE, String(await startOne()));
}

async function startOne(): Promise<number> {
    const since = performance.now();
    await promisify(execFile)(process.execPath, ['-e', 'import("pinstripe")'], { cwd: INSTALLED });
    return performance.now() - since;
}

async function appManifest(): Promise<object> {
    const versions = ['pinstripe', 'libsql', '@types/node'].map(async (name) => {
        const { version } = await fs.readJson(join(PACKAGE, 'node_modules', name, 'package.json'));
        return [name, version];
    });
    return {
        name: 'fixture',
        private: true,
        type: 'module',
        exports: { '.': './lib/index.js' },
        dependencies: {
            'pinstripe-bot': `file:../${basename(TARBALL)}`,
            ...Object.fromEntries(await Promise.all(versions)),
        },
    };
}

async function npm(folder: string, ...args: string[]): Promise<void> {
    await promisify(execFile)('npm', args, { cwd: folder });
}

function digest(...parts: (string | Buffer)[]): string {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest('hex').slice(0, 16);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await prepare();
