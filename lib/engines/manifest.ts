import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Project } from '../framework.js';

/** What is used of an app's package.json. */
export interface Manifest {
    readonly path: string;
    readonly name?: unknown;
    readonly version?: unknown;
}

/** Reads the app's package.json; of one that cannot be read nothing but its path is known. */
export async function readManifest(): Promise<Manifest> {
    const { rootPath = process.cwd() } = await Project.instance;
    const path = join(rootPath, 'package.json');
    try {
        return { ...JSON.parse(await readFile(path, 'utf8')), path };
    } catch {
        return { path };
    }
}
