import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BackgroundJob } from '../jobs/background_job.js';
import { FILE_IMPORTER, FILE_IMPORTER_LINE, JOBS_FOLDER } from '../jobs/jobs_folder.js';
import type { Finding } from './finding.js';

/**
 * Finds what keeps the framework from finding the job files; the app is loaded.
 *
 * @param root the app's folder
 * @param jobs all jobs, and the files that made none
 */
export async function folderFinding(
    root: string,
    jobs: readonly { readonly file: string | undefined }[],
): Promise<Finding | undefined> {
    const path = join(root, JOBS_FOLDER);
    const names = await namesBelow(path);
    const jobFiles = names.filter((name) => /^[^._][^.]*\.[jt]s$/.test(basename(name)));
    if (jobs.some(({ file }) => jobFiles.some((name) => join(path, name) === file))) return undefined;
    const hasImporter = names.includes(FILE_IMPORTER);
    const importer = join(path, FILE_IMPORTER);
    // The app has already imported it.
    const isForeign = hasImporter && (await import(pathToFileURL(importer).href)).default !== BackgroundJob;
    if (isForeign)
        return error(
            'foreign-file-importer',
            importer,
            'it does not export the BackgroundJob of pinstripe-bot: the files beside it make no jobs',
            `make it one line: ${FILE_IMPORTER_LINE}`,
        );
    if (jobFiles.length === 0) return undefined;
    if (hasImporter)
        return error(
            'files-not-imported',
            path,
            'nothing has imported its files: they make no jobs',
            "let the app's entry, such as lib/index.js, call importAll(import.meta.url)",
        );
    return error(
        'no-file-importer',
        path,
        `it has no ${FILE_IMPORTER}: its files make no jobs`,
        `run npx pinstripe-bot init, which writes it: ${FILE_IMPORTER_LINE}`,
    );
}

/** The same finding as a sentence, with its cure. */
export async function filesNotImported(
    ...where: Parameters<typeof folderFinding>
): Promise<string | undefined> {
    const found = await folderFinding(...where);
    return found && `${found.file}: ${found.message} (${found.cure})`;
}

function error(rule: string, file: string, message: string, cure: string): Finding {
    return { severity: 'error', rule, file, message, cure };
}

async function namesBelow(path: string): Promise<string[]> {
    try {
        return await readdir(path, { recursive: true });
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return [];
        throw error;
    }
}
