import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failOnBadParams, runCommand } from '../lib/command_failure.js';
import { Command } from '../lib/host.js';
import { paint } from '../lib/paint.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

const FOLDER = join('lib', 'background_jobs');
const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));

/** `generate-background-job`: writes the file of a new job, and what its folder needs. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description: 'Generates a new background job file in the lib/background_jobs directory.',
            example: 'generate-background-job --name my-cleanup-task',
        });
        this.hasParam('name', {
            type: 'string',
            alias: 'arg1',
            description: 'The name of the background job to create.',
        });
        this.hasParam('force', {
            type: 'boolean',
            optional: true,
            description: 'Overwrite a file that differs.',
        });
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const { rootPath } = await this['project'];
            const path = filePathOf(this.params['name'], this['inflector']);
            const name: string = this['inflector'].dasherize(path);
            const file = join(rootPath, FOLDER, `${path}.js`);
            await refuseNamesake(file, name, this['inflector']);

            const importer = join(rootPath, FOLDER, '_file_importer.js');
            await writeIfMissing(importer, rootPath);
            const content = (await template('background_job.js.template')).replace('{{message}}', () =>
                quote(`${name} background job coming soon!`),
            );
            await write({ file, content, rootPath, force: this.params['force'] === true });
            const binary = Command.binaryName;
            console.log(`\nRun it now:      ${binary} run-background-job --name ${name}`);
            console.log(`Run it on time:  ${binary} start-server`);
        });
    },
};

// Each segment becomes a plain snake_case word, so that neither '..' nor a drive nor a quote survives.
function filePathOf(name: string, inflector: { snakeify(name: string): string }): string {
    const segments = name.split('/').map((segment) => inflector.snakeify(segment));
    if (segments.some((segment) => segment === '')) {
        throw new Error(
            `"${name}" cannot name a background job: use letters a to z and digits, and a "/" for a folder, like reports/daily-digest.`,
        );
    }
    return segments.join('/');
}

async function refuseNamesake(
    file: string,
    name: string,
    inflector: { dasherize(name: string): string },
): Promise<void> {
    const fs = await loadFs();
    const folder = join(file, '..');
    const files = (await fs.pathExists(folder)) ? await fs.readdir(folder) : [];
    const wanted = basename(file, '.js');
    const namesake = files.find(
        (other) =>
            other.endsWith('.js') &&
            other !== '_file_importer.js' &&
            other !== basename(file) &&
            inflector.dasherize(other.slice(0, -3)) === inflector.dasherize(wanted),
    );
    if (namesake) throw new Error(`${join(folder, namesake)} already makes the background job "${name}".`);
}

// Loaded when it is needed: every other command starts without it.
async function loadFs() {
    return (await import('fs-extra')).default;
}

async function template(name: string): Promise<string> {
    return (await loadFs()).readFile(join(TEMPLATES, name), 'utf8');
}

async function writeIfMissing(importer: string, rootPath: string): Promise<void> {
    const fs = await loadFs();
    if (await fs.pathExists(importer)) return;
    await fs.outputFile(importer, await template('_file_importer.js.template'));
    announce('created', rootPath, importer);
}

async function write(wanted: {
    file: string;
    content: string;
    rootPath: string;
    force: boolean;
}): Promise<void> {
    const { file, content, rootPath, force } = wanted;
    const fs = await loadFs();
    const exists = await fs.pathExists(file);
    if (exists && (await fs.readFile(file, 'utf8')) === content) return announce('unchanged', rootPath, file);
    if (exists && !force) {
        throw new Error(
            `${relative(rootPath, file)} exists and differs: nothing was written. Use --force to overwrite it.`,
        );
    }
    await fs.outputFile(file, content);
    announce(exists ? 'overwritten' : 'created', rootPath, file);
}

function announce(what: string, rootPath: string, file: string): void {
    console.log(`${paint.green(what)} ${relative(rootPath, file)}`);
}

function quote(text: string): string {
    return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
