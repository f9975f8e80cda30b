import { basename, extname, join } from 'node:path';
import { JOB_FILE_EXTENSIONS } from '../jobs/job_file.js';
import type { Finding, FolderRule } from './finding.js';
import { FILE_IMPORTER, type JobsFolder } from './jobs_folder.js';

/** What somebody may take for the extension of a job file. */
const OTHER_SCRIPTS = ['.mjs', '.cjs', '.mts', '.cts'];

const IMPORTER_LINE = "export { BackgroundJob as default } from 'pinstripe-bot';";

/**
 * Finds what keeps the framework from finding the job files.
 *
 * @param folder their folder
 * @param known the files that have made jobs, or are known to be broken
 * @returns errors about the folder or its importer, and a warning for each file that looks like a job and makes none
 */
export function folderFindings(folder: JobsFolder, known: ReadonlySet<string>): Finding[] {
    const scripts = folder.files.filter((file) => /^[^._][^.]*\.\w+$/.test(basename(file)));
    const jobFiles = scripts.filter((file) => JOB_FILE_EXTENSIONS.includes(extname(file).slice(1)));
    const whole = jobFiles.some((file) => known.has(file))
        ? undefined
        : ofWholeFolder(folder, jobFiles.length);
    return [
        ...(whole ? [whole] : []),
        ...scripts.filter((file) => OTHER_SCRIPTS.includes(extname(file))).map(ofIgnoredFile),
    ];
}

function ofWholeFolder({ path, isOurs }: JobsFolder, jobFiles: number): Finding | undefined {
    if (isOurs === false) {
        return finding('foreign-file-importer', join(path, FILE_IMPORTER), {
            message:
                'it does not hand on the BackgroundJob of pinstripe-bot: the files beside it make no jobs',
            cure: `let it be one line: ${IMPORTER_LINE}`,
        });
    }
    if (jobFiles === 0) return undefined;
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

function ofIgnoredFile(file: string): Finding {
    return finding('file-ignored', file, {
        severity: 'warning',
        message: 'it makes no job: only .js and .ts files do',
        cure: `rename it to ${basename(file).replace(/\.[cm]/, '.')}, or move it out of the folder`,
    });
}

function finding(
    rule: FolderRule,
    file: string,
    { severity = 'error', ...rest }: Pick<Finding, 'message' | 'cure'> & Partial<Pick<Finding, 'severity'>>,
): Finding {
    return { severity, rule, job: undefined, file, line: undefined, schedule: undefined, ...rest };
}
