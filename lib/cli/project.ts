import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fs from 'fs-extra';
import { CliError } from './error.js';

/** A folder with a package.json, found as the framework finds it, but without loading the framework. */
export interface ProjectFolder {
    /** The real path of the folder. */
    readonly root: string;
    /** What package.json says. */
    readonly manifest: Readonly<Record<string, unknown>>;
    /** The project's name: without one the framework takes the folder for no project. */
    readonly name: string | undefined;
    /** `exports["."]`, where it is the plain string that the framework needs. */
    readonly entryPath: string | undefined;
    /** The real path of the file that the framework loads, where there is one. */
    readonly entry: string | undefined;
}

/**
 * Finds the nearest package.json at or above a folder.
 *
 * @param from an absolute path
 * @returns the folder that has it, or undefined where there is none
 * @throws CliError where package.json is not JSON, or is not an object
 */
export async function findProject(from: string): Promise<ProjectFolder | undefined> {
    const file = join(from, 'package.json');
    if (await fs.pathExists(file)) return readProject(file);
    const above = dirname(from);
    return above === from ? undefined : findProject(above);
}

/**
 * Tells where a package is that some folder would import.
 *
 * @param folder an absolute path
 * @param specifier what an import names
 * @returns the real path of the file, or undefined where it cannot be found
 */
export function resolveFrom(folder: string, specifier: string): string | undefined {
    try {
        return createRequire(join(folder, 'package.json')).resolve(specifier);
    } catch {
        return undefined;
    }
}

async function readProject(file: string): Promise<ProjectFolder> {
    const root = dirname(await fs.realpath(file));
    const manifest = parseManifest(file, await fs.readFile(file, 'utf8'));
    const { name } = manifest;
    const entryPath = entryPathOf(manifest['exports']);
    const candidate = entryPath === undefined ? undefined : join(root, entryPath);
    const entry =
        candidate !== undefined && (await fs.pathExists(candidate))
            ? await fs.realpath(candidate)
            : undefined;
    return { root, manifest, name: typeof name === 'string' ? name : undefined, entryPath, entry };
}

function parseManifest(file: string, text: string): Record<string, unknown> {
    let manifest: unknown;
    try {
        manifest = JSON.parse(text.replace(/^\uFEFF/, ''));
    } catch (error) {
        throw new CliError(`${file} is not valid JSON: ${(error as Error).message}`);
    }
    if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) {
        throw new CliError(`${file} does not hold an object`);
    }
    return manifest as Record<string, unknown>;
}

function entryPathOf(exports: unknown): string | undefined {
    const entry = typeof exports === 'object' && exports !== null ? Reflect.get(exports, '.') : exports;
    return typeof entry === 'string' ? entry : undefined;
}
