import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Looks for a second copy of the framework. Two copies in one process have a registry each, so that commands and jobs
 * registered with one are missing in the other, silently.
 *
 * @param projectRoot the folder of the app's package.json
 * @param own the URL of the module that asks: the copy it gets is compared with the app's
 * @returns a message with both places and the cure; undefined: there is one copy
 */
export function secondCopyMessage(projectRoot: string, own: string): string | undefined {
    const [ours, theirs] = [
        frameworkSeenFrom(fileURLToPath(own)),
        frameworkSeenFrom(`${projectRoot}${sep}package.json`),
    ];
    const running = runningFramework();
    const copies = [...new Set([ours, theirs, running].filter((copy) => copy !== undefined))];
    if (copies.length < 2) return undefined;
    return [
        'There are two copies of the framework (npm package `pinstripe`) in this process:',
        ...copies.map((copy) => `  ${copy}`),
        'Commands and background jobs registered with one are missing in the other. Let the app and pinstripe-bot share',
        'one: install `pinstripe` in the app only, run `npm dedupe`, and look at `npm ls pinstripe`.',
    ].join('\n');
}

function frameworkSeenFrom(file: string): string | undefined {
    try {
        return dirname(dirname(realpathSync(createRequire(file).resolve('pinstripe'))));
    } catch {
        return undefined;
    }
}

// The framework's own binary runs the copy it belongs to, whatever the app has installed.
function runningFramework(): string | undefined {
    const script = process.argv[1];
    if (!script) return undefined;
    try {
        const path = realpathSync(script);
        return path.endsWith(`${sep}pinstripe${sep}cli.js`) ? dirname(path) : undefined;
    } catch {
        return undefined;
    }
}
