import { extname, join, relative } from 'node:path';
import fs from 'fs-extra';
import { CliError } from './error.js';
import { repairFileImporter } from './file_importer_repair.js';
import type { ProjectFolder } from './project.js';
import { addImport, eolOf, isCommonJs, specifiersOf } from './source_code.js';

const PACKAGE = 'pinstripe-bot';
const IMPORT = `import '${PACKAGE}';`;
const ENTRY = 'lib/index.js';
const FILE_IMPORTER = 'lib/background_jobs/_file_importer.js';
const IGNORED = 'bot_*.db*';

/** One thing that `init` sees to. */
export interface InitStep {
    /** The file, relative to the project's root. */
    readonly file: string;
    /** What is in the file once the step is done. */
    readonly what: string;
    /** What the file holds now; undefined where it does not exist. */
    readonly before: string | undefined;
    /** What the file is to hold; the same as `before` where nothing has to be done. */
    readonly after: string;
}

/**
 * Works out what a project needs for its background jobs, from its files alone: none of its code is loaded, and
 * nothing is written.
 *
 * @param project where to look
 * @returns the steps, in the order in which to report them
 * @throws CliError where the project is one that the framework cannot load, or whose entry cannot be edited
 */
export async function planInit(project: ProjectFolder): Promise<InitStep[]> {
    const read = async (file: string): Promise<string | undefined> => {
        const path = join(project.root, file);
        return (await fs.pathExists(path)) ? fs.readFile(path, 'utf8') : undefined;
    };
    if (project.name === undefined) {
        throw new CliError(
            'package.json has no "name": the framework takes a folder for a project only with one',
        );
    }
    const entry = entryOf(project);
    const steps = [planEntry(project, entry, await read(entry))];
    if (project.entryPath === undefined) {
        steps.push(planExports(project.manifest, (await read('package.json')) as string));
    }
    if (await fs.pathExists(join(project.root, 'lib/background_jobs'))) {
        steps.push(...planFileImporter(await read(FILE_IMPORTER)));
    }
    return [...steps, planIgnore(await read('.gitignore'))];
}

/**
 * Writes what the steps have planned. When one file cannot be written, those before it get their old contents back.
 *
 * @param project where to write
 * @param steps what `planInit` gave
 * @throws the error of the file that could not be written
 */
export async function applyInit(project: ProjectFolder, steps: readonly InitStep[]): Promise<void> {
    const begun: InitStep[] = [];
    try {
        for (const step of steps.filter(({ before, after }) => before !== after)) {
            begun.push(step);
            await fs.outputFile(join(project.root, step.file), step.after);
        }
    } catch (error) {
        for (const step of begun) {
            const path = join(project.root, step.file);
            await (step.before === undefined ? fs.unlink(path) : fs.writeFile(path, step.before)).catch(
                () => {},
            );
        }
        throw error;
    }
}

function entryOf({ root, entry, entryPath, manifest }: ProjectFolder): string {
    if (entry !== undefined) return relative(root, entry);
    if (entryPath !== undefined && join(entryPath) !== ENTRY) {
        throw new CliError(
            `package.json says that the project starts in ${entryPath}, and there is no such file`,
        );
    }
    const { exports } = manifest;
    if (
        typeof exports === 'object' &&
        exports !== null &&
        Reflect.has(exports, '.') &&
        entryPath === undefined
    ) {
        throw new CliError(
            `exports["."] of package.json is not a plain string, and the framework loads no other: set it to "./${ENTRY}"`,
        );
    }
    return ENTRY;
}

function planEntry({ manifest }: ProjectFolder, file: string, before: string | undefined): InitStep {
    const isModule = manifest['type'] === 'module' || extname(file) === '.mjs';
    if (extname(file) === '.cjs' || (before !== undefined && !isModule && isCommonJs(before))) {
        throw new CliError(
            `${file} is a CommonJS module, and the framework is made of ES modules: set "type": "module" in package.json and write it with import`,
        );
    }
    if (before === undefined) {
        if (!isModule)
            throw new CliError('package.json has no "type": "module": the framework is made of ES modules');
        const after = `${IMPORT}\nimport { importAll } from 'pinstripe';\n\nimportAll(import.meta.url);\n`;
        return { file, what: IMPORT, before, after };
    }
    const after = specifiersOf(before).includes(PACKAGE) ? before : addImport(before, IMPORT);
    return { file, what: IMPORT, before, after };
}

function planExports(manifest: Readonly<Record<string, unknown>>, before: string): InitStep {
    const exports = { ...(manifest['exports'] as object | undefined), '.': `./${ENTRY}` };
    const indent = /^[^\S\r\n]+(?=")/m.exec(before)?.[0] ?? '  ';
    const json = JSON.stringify({ ...manifest, exports }, null, indent).replaceAll('\n', eolOf(before));
    const [start] = /^\uFEFF?/.exec(before) as RegExpExecArray;
    const [end] = /\s*$/.exec(before) as RegExpExecArray;
    return {
        file: 'package.json',
        what: `"exports": { ".": "./${ENTRY}" }`,
        before,
        after: start + json + end,
    };
}

// A file importer that takes its registry from neither package is the app's own affair: there is no step for it.
function planFileImporter(before: string | undefined): InitStep[] {
    const what = `BackgroundJob from '${PACKAGE}'`;
    const line = `export { BackgroundJob as default } from '${PACKAGE}';\n`;
    const after = before === undefined ? line : repairFileImporter(before);
    return specifiersOf(after).includes(PACKAGE) ? [{ file: FILE_IMPORTER, what, before, after }] : [];
}

function planIgnore(before: string | undefined): InitStep {
    const text = before ?? '';
    const isThere = text.split(/\r?\n/).some((line) => line.trim().replace(/^\//, '') === IGNORED);
    const eol = eolOf(text);
    const gap = text === '' || text.endsWith('\n') ? '' : eol;
    return {
        file: '.gitignore',
        what: IGNORED,
        before,
        after: isThere ? text : `${text}${gap}${IGNORED}${eol}`,
    };
}
