import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from '../lib/framework.js';
import type { Language } from '../lib/jobs/job_template.js';
import { FILE_IMPORTER, FILE_IMPORTER_LINE, JOBS_FOLDER } from '../lib/jobs/jobs_folder.js';
import { failOnBadParams, runCommand } from '../lib/process/command.js';
import { paint } from '../lib/text/paint.js';
import { printable } from '../lib/text/printable.js';
import { readIfThere } from '../lib/text/text_file.js';
import type { PlannedSchedule } from '../lib/views/planned_schedule.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

/** `generate-background-job`: writes the file of a new job, and what its folder needs. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description: 'Generates a new background job file in the lib/background_jobs directory.',
            example: `generate-background-job --name my-cleanup-task --schedule '0 2 * * *'`,
        });
        this.hasParam('name', {
            type: 'string',
            alias: 'arg1',
            description: 'The name of the background job to create.',
        });
        this.hasParam('schedule', {
            type: 'string',
            optional: true,
            placeholder: 'crontab',
            description: `The crontab of its schedule, in quotes: '0 2 * * *'. Default: every minute.`,
        });
        this.hasParam('timezone', {
            type: 'string',
            optional: true,
            placeholder: 'zone',
            description: 'The time zone of its schedule, like Europe/London.',
        });
        this.hasParam('typescript', { type: 'boolean', optional: true, description: 'Write a .ts file.' });
        this.hasParam('force', {
            type: 'boolean',
            optional: true,
            description: 'Overwrite a file that differs.',
        });
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const { schedule: crontab, timezone, typescript, force } = this.params;
            const { rootPath } = await this['project'];
            const path = filePathOf(this.params['name'], this['inflector']);
            const name: string = this['inflector'].dasherize(path);
            const language: Language = typescript ? 'ts' : 'js';
            const file = join(rootPath, JOBS_FOLDER, `${path}.${language}`);
            await refuseNamesake(file, name, this['inflector']);
            const [{ planSchedule, describePlan }, { jobFileContent }, { outputColumns, paragraph }] =
                await Promise.all([
                    import('../lib/views/planned_schedule.js'),
                    import('../lib/jobs/job_template.js'),
                    import('../lib/text/paragraph.js'),
                ]);
            const planned: PlannedSchedule = await planSchedule(name, { crontab, timezone });
            const content = await jobFileContent(language, {
                ...planned,
                message: `${name} background job coming soon!`,
            });

            const before = await readIfThere(file);
            if (before !== undefined && before !== content && force !== true) {
                throw new Error(
                    `${relative(rootPath, file)} exists and differs: nothing was written. Use --force to overwrite it.`,
                );
            }
            const importer = join(rootPath, JOBS_FOLDER, FILE_IMPORTER);
            if ((await readIfThere(importer)) === undefined) {
                await write(importer, `${FILE_IMPORTER_LINE}\n`, rootPath);
            }
            await write(file, content, rootPath);
            if (crontab !== undefined || timezone !== undefined) {
                console.log(`\n${describePlan(planned, Math.floor(Date.now() / 1000), outputColumns())}`);
            }
            const refusal = language === 'ts' ? await refusalToImport(file, rootPath) : undefined;
            if (refusal)
                console.log(
                    `\n${paragraph(`${paint.yellow('warning')} ${printable(refusal)}`, outputColumns())}`,
                );
            const binary = `npx ${Command.binaryName}`;
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
    const folder = dirname(file);
    const files = await readdir(folder).catch(() => []);
    const wanted = basename(file, extname(file));
    const namesake = files.find(
        (other) =>
            /^[^.]+\.[jt]s$/.test(other) &&
            other !== FILE_IMPORTER &&
            other !== basename(file) &&
            inflector.dasherize(other.slice(0, -3)) === inflector.dasherize(wanted),
    );
    if (namesake) throw new Error(`${join(folder, namesake)} already makes the background job "${name}".`);
}

async function write(file: string, content: string, rootPath: string): Promise<void> {
    const before = await readIfThere(file);
    if (before !== content) {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
    }
    const what = before === undefined ? 'created' : before === content ? 'unchanged' : 'overwritten';
    console.log(`${paint.green(what)} ${relative(rootPath, file)}`);
}

// What is written now runs nowhere, unless this is said: whether a loader helps out only an attempt can tell.
async function refusalToImport(file: string, rootPath: string): Promise<string | undefined> {
    try {
        await import(pathToFileURL(file).href);
        return undefined;
    } catch (error) {
        const { typescriptRefusal } = await import('../lib/text/import_fault.js');
        const refusal = typescriptRefusal(error);
        if (refusal === undefined) throw error;
        return `${refusal.reason.replace(`${rootPath}/`, '')}: ${refusal.cure}.`;
    }
}
