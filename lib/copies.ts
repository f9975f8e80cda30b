import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Names two copies of the framework in this process, and the cure: with two, jobs are missing and nothing else fails. */
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

/** The real path of the file that importing a package from another file, by path or URL, would load. */
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
