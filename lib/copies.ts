import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Looks for a second copy of the framework. With two copies in one process, what is registered with one is missing in the
 * other, and nothing fails.
 *
 * @param root the app's folder
 * @returns a sentence with both places and the cure; undefined: there is one copy
 */
export function secondCopyMessage(root: string): string | undefined {
    const files = [import.meta.url, join(root, 'package.json'), frameworkBinary()];
    const entries = files.flatMap((file) => (file && resolveFrom(file, 'pinstripe')) ?? []);
    const copies = [...new Set(entries)].map((entry) => dirname(dirname(entry)));
    if (copies.length < 2) return undefined;
    return (
        `There are two copies of pinstripe in this process, ${copies.join(' and ')}: jobs and commands of one are missing ` +
        'in the other. Install pinstripe in the app only, run `npm dedupe`, and look at `npm ls pinstripe`.'
    );
}

/**
 * Finds the file that an import would load.
 *
 * @param from the path or URL of the file that imports
 * @param name a package
 * @returns the file's real path; undefined: there is none
 */
export function resolveFrom(from: string, name: string): string | undefined {
    try {
        return createRequire(from).resolve(name);
    } catch {
        return undefined;
    }
}

// It runs the copy that it belongs to, whatever the app has installed.
function frameworkBinary(): string | undefined {
    try {
        const script = realpathSync(process.argv[1] ?? '');
        return script.endsWith(join('pinstripe', 'cli.js')) ? script : undefined;
    } catch {
        return undefined;
    }
}
