import { basename, extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BackgroundJobRegistry } from '../../types/background_job.js';
import { readError } from '../text/errors.js';
import type { BrokenFile, FileFault } from './problem.js';
import { lineInStack } from './stack_line.js';

/** What somebody may take for a job file; with the letter of its language. */
const SCRIPT = /\.[cm]?([jt])sx?$/i;

/** What nobody takes for one: hidden files, helpers, tests, declarations. */
const NO_JOB = /^\.|^_file_importer\.js$|^_.*\.[cm][jt]s$|\.(?:test|spec|d)\.\w+$/i;

/** Node has a SyntaxError for this too, although the code of both files is sound. */
const MISSING_EXPORT = /does not provide an export named|^Named export /;

/** What Node says of a file that it would have to strip of its types first, where it does not. */
const UNKNOWN_TYPESCRIPT = /^Unknown file extension "\.ts" for (.*)$/;

/**
 * Tells whether a file may be meant for a job, by its name.
 *
 * @param path the file's
 */
export function isScript(path: string): boolean {
    return SCRIPT.test(path) && !NO_JOB.test(basename(path));
}

/**
 * Imports one job file and registers its job. What keeps it from making one - a syntax error, a missing import, no
 * default export, a name that another file has, or that no job file has - is noted in the registry and stops nobody else.
 *
 * @param registry where the job belongs
 * @param file the folder of the job files and the script, absolute
 */
export async function importJobFile(
    registry: BackgroundJobRegistry,
    { dirPath, filePath }: { dirPath: string; filePath: string },
): Promise<void> {
    const stem = filePath.slice(0, -extname(filePath).length);
    const name = registry.normalizeName(stem.slice(dirPath.length + 1));
    const broken = (fault: Fault) => registry.reportBrokenFile({ job: name, file: filePath, ...fault });

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

    if (definition === undefined) return broken(noDefinition('has no default export'));
    if (typeof definition !== 'object' || definition === null) {
        return broken(noDefinition('has a default export that is not an object'));
    }

    const mixin = definition;
    registry.register(name, {
        meta(this: { filePaths: string[]; include(mixin: object): void }) {
            this.filePaths.push(filePath);
            this.include(mixin);
        },
    });
}

/**
 * Tells whether this Node has refused to import a file because it is TypeScript.
 *
 * @param error what importing a file threw
 * @returns what is wrong and what to do about it; undefined where it is something else
 */
export function typescriptRefusal(error: unknown): { reason: string; cure: string } | undefined {
    const file = UNKNOWN_TYPESCRIPT.exec(readError(error).message)?.[1];
    if (file === undefined) return undefined;
    return {
        reason: `Node ${process.version} cannot import ${file}`,
        cure: "use Node 22.18 or newer, or install tsx and set NODE_OPTIONS='--import tsx', or write it in JavaScript",
    };
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

type Fault = Omit<BrokenFile, 'job' | 'file'>;

function curable(kind: FileFault, what: string, cure: string): Fault {
    return { kind, reason: `${what}: ${cure}`, cure };
}

function noDefinition(what: string): Fault {
    return curable('no-definition', what, 'write `export default { ... }`');
}

/**
 * Says why a file could not be imported.
 *
 * @param error what importing it threw
 * @param filePath its absolute path
 * @returns a promise of the reason, what to do where that is known, and the line where the error tells it
 */
export async function importFault(error: unknown, filePath: string): Promise<Fault> {
    const refusal = typescriptRefusal(error);
    if (refusal !== undefined) {
        return curable('typescript-unsupported', `cannot be imported: ${refusal.reason}`, refusal.cure);
    }
    const record = readError(error);
    const { name } = record;
    // What a compiler has to say of a file may take several lines.
    const message = record.message.trim().replace(/\s*\n\s*/g, ' ');
    const isBadCode = name === 'SyntaxError' && !MISSING_EXPORT.test(message);
    const told = lineInStack(record, filePath);
    const line = told ?? (isBadCode ? await lineOfSyntaxError(filePath) : undefined);
    const place = isBadCode ? (line === undefined ? ' in a module it imports' : ` in line ${line}`) : '';
    return { kind: 'import-failed', reason: `cannot be imported: ${name}${place}: ${message}`, line };
}

// import() keeps the place of a syntax error to itself; the check on the command line prints it: `file:3`.
async function lineOfSyntaxError(filePath: string): Promise<number | undefined> {
    const { execFile } = await import('node:child_process');
    return new Promise((resolve) => {
        execFile(process.execPath, ['--check', filePath], (error, _stdout, stderr) => {
            const line = error ? /:(\d+)$/m.exec(stderr)?.[1] : undefined;
            resolve(line === undefined ? undefined : Number(line));
        });
    });
}
