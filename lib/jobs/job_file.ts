import { basename, extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BackgroundJobRegistry } from '../../types/background_job.js';
import { importFault } from '../text/import_fault.js';
import type { Fault, FileFault, Problem } from './problem.js';

/** Files that an author may take for job files; the first letter of the extension tells the language. */
const SCRIPT = /\.[cm]?([jt])sx?$/i;

/** Files that nobody does: hidden files, helpers, tests, declarations. */
const NO_JOB = /^\.|^_file_importer\.js$|^_.*\.[cm][jt]s$|\.(?:test|spec|d)\.\w+$/i;

/** The problems of job files that made no job, by path. */
export const brokenFiles = new Map<string, Problem>();

/** Whether a file is probably meant to be a job, by its name. */
export function isScript(path: string): boolean {
    return SCRIPT.test(path) && !NO_JOB.test(basename(path));
}

/**
 * Imports one job file and registers its job. If that fails - a syntax error, a missing import, no default export, a name
 * that another file has, or that no job file may have - `brokenFiles` gets a problem, and other files are not affected.
 *
 * @param file the folder of the job files, and the script; both absolute
 */
export async function importJobFile(
    registry: BackgroundJobRegistry,
    { dirPath, filePath }: { dirPath: string; filePath: string },
): Promise<void> {
    const stem = filePath.slice(0, -extname(filePath).length);
    const name = registry.normalizeName(stem.slice(dirPath.length + 1));
    const broken = (fault: Fault) => {
        const severity = fault.kind === 'file-ignored' ? 'warning' : 'error';
        brokenFiles.set(filePath, { job: name, file: filePath, severity, ...fault });
    };

    const fault = faultOfName(basename(filePath));
    if (fault) return broken(fault);

    if (name === '') {
        return broken(curable('empty-name', 'makes an empty name', 'use letters a to z and digits'));
    }
    const namesake = registry.names.includes(name) ? registry.for(name).filePaths.at(-1) : undefined;
    if (namesake !== undefined) {
        const what = `makes the name "${name}", as ${namesake} does`;
        return broken(curable('same-name', what, 'rename one of them'));
    }

    let definition: unknown;
    try {
        definition = (await import(pathToFileURL(filePath).href)).default;
    } catch (error) {
        return broken(await importFault(error, filePath));
    }

    if (typeof definition !== 'object' || definition === null) {
        const what =
            definition === undefined ? 'no default export' : 'a default export that is not an object';
        return broken(curable('no-definition', `has ${what}`, 'write `export default { ... }`'));
    }

    const mixin = definition;
    registry.register(name, {
        meta(this: { filePaths: string[]; include(mixin: object): void }) {
            this.filePaths.push(filePath);
            this.include(mixin);
        },
    });
}

function faultOfName(name: string): Fault | undefined {
    const stem = name.slice(0, -extname(name).length);
    const wanted = `${stem.replaceAll('.', '_')}.${SCRIPT.exec(name)?.[1]?.toLowerCase()}s`;
    if (wanted === name) return undefined;
    const what = stem.includes('.')
        ? 'makes no job because of the dot in its name'
        : 'makes no job: only .js and .ts files do';
    return curable('file-ignored', what, `rename it to ${wanted}, or move it out of the folder`);
}

function curable(kind: FileFault, what: string, cure: string): Fault {
    return { kind, reason: `${what}: ${cure}`, cure };
}
