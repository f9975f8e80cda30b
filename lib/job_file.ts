import { pathToFileURL } from 'node:url';
import type { BackgroundJobRegistry } from '../types/background_job.js';

/** Node has a SyntaxError for this too, although the code of both files is sound. */
const MISSING_EXPORT = /does not provide an export named|^Named export /;

/**
 * Imports one job file and registers its job. What keeps it from making one - a syntax error, a missing import, no
 * default export, a name that another file has - is noted in the registry and stops nobody else.
 *
 * @param registry where the job belongs
 * @param filePath the file's absolute path
 * @param path its path below `lib/background_jobs/`, without `.js`: the name of the job before it is dasherized
 */
export async function importJobFile(
    registry: BackgroundJobRegistry,
    filePath: string,
    path: string,
): Promise<void> {
    const name = registry.normalizeName(path);
    const broken = (reason: string) => registry.reportBrokenFile(filePath, name, reason);

    if (name === '') return broken('makes an empty name: use letters a to z and digits');

    let definition: unknown;
    try {
        definition = (await import(pathToFileURL(filePath).href)).default;
    } catch (error) {
        return broken(`cannot be imported: ${await describeImportError(error, filePath)}`);
    }

    if (definition === undefined) return broken('has no default export: write `export default { ... }`');
    if (typeof definition !== 'object' || definition === null) {
        return broken('has a default export that is not an object: write `export default { ... }`');
    }
    const namesake = registry.names.includes(name) ? registry.for(name).filePaths.at(-1) : undefined;
    if (namesake !== undefined) {
        return broken(`makes the name "${name}", as ${namesake} does: rename one of them`);
    }

    const mixin = definition;
    registry.register(name, {
        meta(this: { filePaths: string[]; include(mixin: object): void }) {
            this.filePaths.push(filePath);
            this.include(mixin);
        },
    });
}

async function describeImportError(error: unknown, filePath: string): Promise<string> {
    if (!(error instanceof Error)) return String(error);
    const isBadCode = error instanceof SyntaxError && !MISSING_EXPORT.test(error.message);
    const place = isBadCode ? await placeOfSyntaxError(filePath) : '';
    return `${error.name}${place}: ${error.message}`;
}

// import() keeps the place of a syntax error to itself; the check on the command line prints it: `file:3`.
async function placeOfSyntaxError(filePath: string): Promise<string> {
    const { execFile } = await import('node:child_process');
    return new Promise((resolve) => {
        execFile(process.execPath, ['--check', filePath], (error, _stdout, stderr) => {
            const line = error && /:(\d+)$/m.exec(stderr)?.[1];
            resolve(line ? ` in line ${line}` : ' in a module it imports');
        });
    });
}
