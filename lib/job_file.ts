import { pathToFileURL } from 'node:url';
import type { BackgroundJobRegistry } from '../types/background_job.js';

/**
 * Imports one job file and registers its job. What keeps it from making one - a syntax error, a missing import, no
 * default export, a name that another file has - is noted in the registry and stops nobody else.
 *
 * @param registry where the job belongs
 * @param filePath the file's absolute path
 * @param path its path below `lib/background_jobs/`, without `.js`: the name of the job before it is dasherized
 */
export async function importJobFile(registry: BackgroundJobRegistry, filePath: string, path: string): Promise<void> {
    const name = registry.normalizeName(path);
    const broken = (reason: string) => registry.reportBrokenFile(filePath, name, reason);

    let definition: unknown;
    try {
        definition = (await import(pathToFileURL(filePath).href)).default;
    } catch (error) {
        return broken(`cannot be imported: ${describeImportError(error)}`);
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

// A syntax error says where it is only in the first line of its stack: `file:///.../my_job.js:3`.
function describeImportError(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    const place = error instanceof SyntaxError ? /^file:\/\/\S+:(\d+)$/m.exec(error.stack ?? '') : null;
    return place ? `${error.name} in line ${place[1]}: ${error.message}` : `${error.name}: ${error.message}`;
}
