import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { resolve } = createRequire(import.meta.url);

// Next to the package's dist folder: styles and scripts for browsers are published as they are written.
const own = (name: string) => fileURLToPath(new URL(`../../../lib/dashboard/${name}`, import.meta.url));

const FILES: Readonly<Record<string, () => string>> = {
    'page.css': () => own('page.css'),
    'page.js': () => own('page.js'),
    'idiomorph.js': () => resolve('idiomorph/dist/idiomorph.esm.js'),
    'relative-time.js': () => join(dirname(resolve('@github/relative-time-element')), 'bundle.js'),
};

let read: { readonly version: string; readonly texts: ReadonlyMap<string, string> } | undefined;

/** What pages load, by name, and a version that is another one whenever any of it is. */
export function assets() {
    if (read) return read;
    const texts = new Map(
        Object.entries(FILES).map(([name, path]) => [name, readFileSync(path(), 'utf8')] as const),
    );
    const hash = createHash('sha256').update([...texts.values()].join('\0'));
    read = { version: hash.digest('hex').slice(0, 12), texts };
    return read;
}
