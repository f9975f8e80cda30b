import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BackgroundJob } from '../jobs/background_job.js';
import { JOB_FILE_EXTENSIONS } from '../jobs/job_file.js';
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

/** What somebody may take for the extension of a job file. */
const OTHER_SCRIPTS = ['.mjs', '.cjs', '.mts', '.cts'];

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
    const found = folder && folderFindings(folder, known).find(({ severity }) => severity === 'error');
    return found && `${found.file}: ${found.message} (${found.cure})`;
}

/**
 * Finds what keeps the framework from finding the job files.
 *
 * @param folder their folder
 * @param known the files that have made jobs, or are known to be broken
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
            cure: `let it be one line: ${FILE_IMPORTER_LINE}`,
        });
    }
    if (jobFiles === 0) return undefined;
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
    return { severity, rule, file, ...rest };
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
