import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BackgroundJob } from '../jobs/background_job.js';

/** The folder of an app's job files, as it is on disk. */
export interface JobsFolder {
    /** Its absolute path. */
    readonly path: string;
    /** The absolute paths of all that is in it, at any depth. */
    readonly files: readonly string[];
    /** Whether `_file_importer.js` hands its files to the registry of background jobs; undefined: there is none. */
    readonly isOurs: boolean | undefined;
}

/** The name of the file that tells the framework what the files beside it are. */
export const FILE_IMPORTER = '_file_importer.js';

/**
 * Looks at the folder of the job files.
 *
 * @param rootPath the project's root
 * @returns the folder, or undefined where there is none
 */
export async function readJobsFolder(rootPath: string): Promise<JobsFolder | undefined> {
    const path = join(rootPath, 'lib', 'background_jobs');
    const names = await namesBelow(path);
    if (names === undefined) return undefined;
    const files = names.map((name) => join(path, name)).sort();
    const importer = join(path, FILE_IMPORTER);
    return { path, files, isOurs: files.includes(importer) ? await handsOver(importer) : undefined };
}

/**
 * Reads files.
 *
 * @param files their paths
 * @returns their texts, by path; without those that cannot be read
 */
export async function readSources(files: Iterable<string>): Promise<Map<string, string>> {
    const texts = await Promise.all(
        [...new Set(files)].map(
            async (file) => [file, await readFile(file, 'utf8').catch(() => undefined)] as const,
        ),
    );
    return new Map(texts.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

async function namesBelow(path: string): Promise<string[] | undefined> {
    try {
        return await readdir(path, { recursive: true });
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
        throw error;
    }
}

// Loading the app has imported it, so that this is no more than a look at it.
async function handsOver(importer: string): Promise<boolean> {
    return (await import(pathToFileURL(importer).href)).default === BackgroundJob;
}
