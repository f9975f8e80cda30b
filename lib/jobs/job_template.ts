import { readFile } from 'node:fs/promises';

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

/**
 * Writes the content of a new job file.
 *
 * @param language what it is written in
 * @param parts what it is to say
 * @returns a promise of the file's text
 */
export async function jobFileContent(language: Language, parts: JobTemplate): Promise<string> {
    const values: Readonly<Record<string, string>> = {
        message: quote(parts.message),
        crontab: quote(parts.crontab),
        words: parts.words,
        timezone: parts.timezone === undefined ? '' : `\n\n    timezone: ${quote(parts.timezone)},`,
    };
    const template = await readTemplate(`background_job.${language}.template`);
    return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '');
}

/**
 * Writes the content of the `_file_importer.js` that the folder of the job files needs.
 *
 * @returns a promise of the file's text
 */
export function fileImporterContent(): Promise<string> {
    return readTemplate('_file_importer.js.template');
}

function readTemplate(name: string): Promise<string> {
    return readFile(new URL(`../../../templates/${name}`, import.meta.url), 'utf8');
}

function quote(text: string): string {
    return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
