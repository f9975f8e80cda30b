import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BackgroundJob } from '../jobs/background_job.js';
import { FILE_IMPORTER, FILE_IMPORTER_LINE, JOBS_FOLDER } from '../jobs/jobs_folder.js';
import type { Finding, FolderRule } from './finding.js';

/** The folder of an app's job files, as it is on disk. */
export interface JobsFolder {
    /** Its absolute path. */
    readonly path: string;
    /** The absolute paths of all that is in it, at any depth. */
    readonly files: readonly string[];
    /** Whether `_file_importer.js` hands its files to the registry of background jobs; undefined: there is none. */
    readonly isOurs: boolean | undefined;
}

/**
 * Looks at the folder of the job files, once the app is loaded.
 *
 * @param root the app's folder
 * @returns the folder; undefined where there is none
 */
export async function readJobsFolder(root: string): Promise<JobsFolder | undefined> {
    const path = join(root, JOBS_FOLDER);
    const names = await namesBelow(path);
    if (names === undefined) return undefined;
    const importer = join(path, FILE_IMPORTER);
    return {
        path,
        files: names.map((name) => join(path, name)).sort(),
        isOurs: names.includes(FILE_IMPORTER) ? await handsOver(importer) : undefined,
    };
}

/**
 * Finds job files that nobody has imported, so that an app seems to have no jobs.
 *
 * @param root the app's folder
 * @param jobs the jobs that there are, and the files that made none
 * @returns a sentence with the cure; undefined where all is well
 */
export async function filesNotImported(
    root: string,
    jobs: readonly { readonly file: string | undefined }[],
): Promise<string | undefined> {
    const folder = await readJobsFolder(root);
    const known = new Set(jobs.flatMap(({ file }) => file ?? []));
    const [found] = folder ? folderFindings(folder, known) : [];
    return found && `${found.file}: ${found.message} (${found.cure})`;
}

/**
 * Finds what keeps the framework from finding the job files.
 *
 * @param folder their folder
 * @param known the files that have made jobs, or are known to be broken
 */
export function folderFindings(folder: JobsFolder, known: ReadonlySet<string>): Finding[] {
    const jobFiles = folder.files.filter((file) => /^[^._][^.]*\.[jt]s$/.test(basename(file)));
    if (jobFiles.some((file) => known.has(file))) return [];
    return ofWholeFolder(folder, jobFiles.length);
}

function ofWholeFolder({ path, isOurs }: JobsFolder, jobFiles: number): Finding[] {
    if (isOurs === false) {
        return finding('foreign-file-importer', join(path, FILE_IMPORTER), {
            message:
                'it does not hand on the BackgroundJob of pinstripe-bot: the files beside it make no jobs',
            cure: `let it be one line: ${FILE_IMPORTER_LINE}`,
        });
    }
    if (jobFiles === 0) return [];
    if (isOurs === undefined) {
        return finding('no-file-importer', path, {
            message: `it has no ${FILE_IMPORTER}: its files make no jobs`,
            cure: `run npx pinstripe-bot init, which writes it: ${FILE_IMPORTER_LINE}`,
        });
    }
    return finding('files-not-imported', path, {
        message: 'nothing has imported its files: they make no jobs',
        cure: "let the app's entry, such as lib/index.js, call importAll(import.meta.url)",
    });
}

function finding(rule: FolderRule, file: string, words: Pick<Finding, 'message' | 'cure'>): Finding[] {
    return [{ severity: 'error', rule, file, ...words }];
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

// The app has imported it already.
async function handsOver(importer: string): Promise<boolean> {
    return (await import(pathToFileURL(importer).href)).default === BackgroundJob;
}
