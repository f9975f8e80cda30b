import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where an app's job files are, relative to its folder. */
export const JOBS_FOLDER = join('lib', 'background_jobs');

/** The file that tells the framework how to import the files beside it. */
export const FILE_IMPORTER = '_file_importer.js';

/** Its content. */
export const FILE_IMPORTER_LINE = "export { BackgroundJob as default } from 'pinstripe-bot';";

/**
 * The content of a new job file.
 *
 * @param parts what its `run()` prints; its crontab, and that in words; its time zone, where it has one
 */
export async function jobFileContent(
    language: 'js' | 'ts',
    parts: { message: string; crontab: string; words: string; timezone: string | undefined },
): Promise<string> {
    const values: Readonly<Record<string, string>> = {
        message: quote(parts.message),
        crontab: quote(parts.crontab),
        words: parts.words,
        timezone: parts.timezone === undefined ? '' : `\n\n    timezone: ${quote(parts.timezone)},`,
    };
    const file = new URL(`../../../templates/background_job.${language}.template`, import.meta.url);
    const template = await readFile(file, 'utf8');
    return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '');
}

function quote(text: string): string {
    return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
