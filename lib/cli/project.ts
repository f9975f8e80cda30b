import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolveFrom, secondCopyMessage } from '../copies.js';
import { CliError } from './errors.js';

/** A folder with a package.json. */
export interface ProjectFolder {
    /** Its real path. */
    readonly root: string;
    /** The content of package.json. */
    readonly manifest: Readonly<Record<string, unknown>>;
    /** The file that the framework loads, relative to the root: `exports["."]`, a plain string. It may not exist. */
    readonly entry: string | undefined;
}

/**
 * Finds the project at or above an absolute path, as the framework does, but without loading the framework.
 *
 * @returns a text says why there is none
 */
export async function findProject(from: string): Promise<ProjectFolder | string> {
    let folder = from;
    while (!existsSync(join(folder, 'package.json'))) {
        if (dirname(folder) === folder) return `there is no package.json in ${from} or above it`;
        folder = dirname(folder);
    }
    const root = await realpath(folder);
    const file = join(root, 'package.json');
    const text = await readFile(file, 'utf8');
    let manifest: Record<string, unknown>;
    try {
        manifest = Object(JSON.parse(text));
    } catch (error) {
        throw new CliError(`${file} is not valid JSON: ${(error as Error).message}`);
    }
    if (manifest['name'] === undefined) return `${file} has no "name"`;
    const { exports } = manifest;
    const entry = typeof exports === 'string' ? exports : Object(exports)['.'];
    return { root, manifest, entry: typeof entry === 'string' ? join(entry) : undefined };
}

/** Throws a CliError, with the cure, unless a project has the packages that its commands need, each in one copy. */
export function checkPackages({ root }: ProjectFolder): void {
    const manifest = join(root, 'package.json');
    for (const name of ['pinstripe', 'pinstripe-bot'])
        if (resolveFrom(manifest, name) === undefined)
            throw new CliError(`${name} is not installed in ${root}: run npm install ${name}`);
    const own = fileURLToPath(new URL('../index.js', import.meta.url));
    if (resolveFrom(manifest, 'pinstripe-bot') !== own)
        throw new CliError(
            `this is not the copy of pinstripe-bot that is installed in ${root}: run npx pinstripe-bot there`,
        );
    const complaint = secondCopyMessage(root);
    if (complaint !== undefined) throw new CliError(complaint);
}
