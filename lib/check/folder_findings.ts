import { basename, join } from 'node:path';
import type { Finding, FolderRule } from './finding.js';
import { FILE_IMPORTER, type JobsFolder } from './jobs_folder.js';

const IMPORTER_LINE = "export { BackgroundJob as default } from 'pinstripe-bot';";

/**
 * Finds what keeps the framework from finding the job files.
 *
 * @param folder their folder
 * @param known the files that have made jobs, or are known to be broken
 * @returns an error about the folder or its importer, or none
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
            cure: `let it be one line: ${IMPORTER_LINE}`,
        });
    }
    if (jobFiles === 0) return [];
    if (isOurs === undefined) {
        return finding('no-file-importer', path, {
            message: `it has no ${FILE_IMPORTER}: its files make no jobs`,
            cure: `run pinstripe-bot init, which writes it: ${IMPORTER_LINE}`,
        });
    }
    return finding('files-not-imported', path, {
        message: 'nothing has imported its files: they make no jobs',
        cure: "let the app's entry, such as lib/index.js, call importAll(import.meta.url)",
    });
}

function finding(rule: FolderRule, file: string, words: Pick<Finding, 'message' | 'cure'>): Finding[] {
    return [
        { severity: 'error', rule, job: undefined, file, line: undefined, schedule: undefined, ...words },
    ];
}
