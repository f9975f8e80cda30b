import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the job files of an app are, below its folder. */
export const JOBS_FOLDER = join('lib', 'background_jobs');

/** The file that tells the framework what the files beside it are. */
export const FILE_IMPORTER = '_file_importer.js';

/** What stands in it. */
export const FILE_IMPORTER_LINE = "export { BackgroundJob as default } from 'pinstripe-bot';";

/** What a new job file is to say. */
export interface JobTemplate {
    /** What its `run()` prints. */
    readonly message: string;
    readonly crontab: string;
    /** When that is, in words. */
    readonly words: string;
    /** IANA name; undefined: the file sets none. */
    readonly timezone: string | undefined;
}

/** What a job file is written in, and ends with. */
export type Language = 'js' | 'ts';

/** Writes the content of a new job file. */
export async function jobFileContent(language: Language, parts: JobTemplate): Promise<string> {
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
