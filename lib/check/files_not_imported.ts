import { folderFindings } from './folder_findings.js';
import { readJobsFolder } from './jobs_folder.js';

/**
 * Finds out whether there are job files that nobody has imported: then an app seems to have no jobs.
 *
 * @param root the app's folder
 * @param jobs the jobs that were found
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
