import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import chalk from 'chalk';
import type { Command } from 'commander';
import { FILE_IMPORTER, FILE_IMPORTER_LINE, JOBS_FOLDER } from '../jobs/jobs_folder.js';
import { CliError } from './errors.js';
import { addCommand } from './program.js';
import type { ProjectFolder } from './project.js';

const PACKAGE = 'pinstripe-bot';
const IMPORT = `import '${PACKAGE}';`;
const IMPORTS_US = /^\s*import.*(['"])pinstripe-bot\1/m;
const ENTRY = join('lib', 'index.js');
const NEW_ENTRY = `${IMPORT}\nimport { importAll } from 'pinstripe';\n\nimportAll(import.meta.url);\n`;
const IGNORED = 'bot_*.db*';

/** What the framework's own generator once wrote; the framework has no such registry. */
const OLD_FILE_IMPORTER = "export { BackgroundJob as default } from 'pinstripe';";

const DESCRIPTION =
    'Prepares a project for its background jobs: its entry, its .gitignore, an old _file_importer.js.';

/** What was done about a line that a file needs, and its colour. */
const STATES = {
    'already there': chalk.dim,
    changed: chalk.green,
    created: chalk.green,
    'by hand': chalk.yellow,
};

interface Step {
    readonly file: string;
    readonly line: string;
    readonly state: keyof typeof STATES;
}

/** Adds the command `init`, which loads nothing of the project. Outside of one it fails, and says why there is none. */
export function addInitCommand(program: Command, project: ProjectFolder | string): void {
    addCommand(program, 'Setup:', 'init', DESCRIPTION).action(async () => {
        if (typeof project === 'string') throw new CliError(`not in a project: ${project}`);
        const steps = await init(project);
        console.log(describe(project, steps));
        if (steps.some(({ state }) => state === 'by hand')) process.exitCode = 1;
    });
}

/** Adds lines and writes missing files; what it cannot change safely it leaves to the reader. */
export async function init({ root, manifest, entry }: ProjectFolder): Promise<Step[]> {
    const file = entry ?? ENTRY;
    if (file !== ENTRY && !existsSync(join(root, file)))
        throw new CliError(`package.json says that the project starts in ${file}, but there is no such file`);
    const isModule = manifest['type'] === 'module' || extname(file) === '.mjs';
    const byHand = (line: string): Step => ({ file: 'package.json', line, state: 'by hand' });
    const imported = await edit(root, file, IMPORT, (text) => {
        if (text === undefined) return NEW_ENTRY;
        if (IMPORTS_US.test(text)) return text;
        return isModule && !text.startsWith('#!') ? `${IMPORT}${eolOf(text)}${text}` : undefined;
    });
    const steps = [imported];
    if (!isModule) steps.push(byHand('"type": "module"'));
    if (entry === undefined) steps.push(byHand(`"exports": { ".": "./${ENTRY}" }`));
    if (existsSync(join(root, JOBS_FOLDER))) {
        const importer = await edit(root, join(JOBS_FOLDER, FILE_IMPORTER), FILE_IMPORTER_LINE, (text) => {
            if (text === undefined || text.trim() === OLD_FILE_IMPORTER) return `${FILE_IMPORTER_LINE}\n`;
            return text.includes(PACKAGE) ? text : undefined;
        });
        steps.push(importer);
    }
    const ignored = await edit(root, '.gitignore', IGNORED, (text = '') => {
        if (text.split('\n').some((line) => [IGNORED, `/${IGNORED}`].includes(line.trim()))) return text;
        const gap = text === '' || text.endsWith('\n') ? '' : eolOf(text);
        return `${text}${gap}${IGNORED}${eolOf(text)}`;
    });
    return [...steps, ignored];
}

async function edit(
    root: string,
    file: string,
    line: string,
    change: (text: string | undefined) => string | undefined,
): Promise<Step> {
    const path = join(root, file);
    const before = existsSync(path) ? await readFile(path, 'utf8') : undefined;
    const after = change(before);
    if (after === undefined) return { file, line, state: 'by hand' };
    if (after === before) return { file, line, state: 'already there' };
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, after);
    return { file, line, state: before === undefined ? 'created' : 'changed' };
}

function eolOf(text: string): string {
    return text.includes('\r\n') ? '\r\n' : '\n';
}

function describe({ manifest }: ProjectFolder, steps: readonly Step[]): string {
    const lines = steps.map(
        ({ file, line, state }) =>
            `  ${STATES[state](`${state}:`.padEnd(14))}  ${line} ${chalk.dim(`in ${file}`)}`,
    );
    const installed = { ...Object(manifest['dependencies']), ...Object(manifest['devDependencies']) };
    const missing = ['pinstripe', PACKAGE].filter((name) => !(name in installed));
    const next = [
        ...(missing.length === 0 ? [] : [`npm install ${missing.join(' ')}`]),
        'npx pinstripe-bot generate-background-job --name my-task',
    ];
    return ['', ...lines, '', 'Next:', ...next.map((line) => `  ${chalk.cyan(line)}`), ''].join('\n');
}
