import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chalkStderr } from 'chalk';
import type { Command as Program } from 'commander';
import type { CommandRegistry } from '../../types/framework.js';
import { Command, importAll, isValidationError, Workspace } from '../framework.js';
import { CliError, describeFailure, UsageError } from './errors.js';
import { paramsOf, type Words } from './params.js';
import { addFrameworkCommands, letFail } from './program.js';
import { checkPackages, type ProjectFolder } from './project.js';

const FOR_EVERYWHERE = ['generate-project', 'list-commands'];
const FOR_NEW_PROJECTS = ['generate-project', 'initialize-project'];

/** What Node says of files for a framework that has a registry of background jobs. */
const OLD_IMPORT = /'pinstripe' does not provide an export named 'BackgroundJob'/;

/**
 * Loads the project and adds its commands to the program: those that the framework's own executable would have. If the app
 * does not import this package yet, it says so.
 *
 * @param project a text says why there is none
 * @throws CliError if the project cannot be loaded
 */
export async function addProjectCommands(program: Program, project: ProjectFolder | string): Promise<void> {
    const isProject = typeof project !== 'string';
    if (isProject) await loadApp(project);
    const { OWN_COMMANDS } = await import('../install.js');
    await importAll();

    const all = Command.names;
    const useless = isProject ? FOR_NEW_PROJECTS : all.filter((name) => !FOR_EVERYWHERE.includes(name));
    const keepsAll = process.env['PINSTRIPE_KEEP_ALL_COMMANDS'] === 'true';
    for (const name of keepsAll ? [] : useless) Command.unregister(name);
    Command.binaryName = program.name();
    const own = Command.names.filter((name) => name in OWN_COMMANDS);
    const others = Command.names.filter((name) => !own.includes(name));
    addFrameworkCommands(program, Command, { heading: 'Background jobs:', names: own }, run);
    addFrameworkCommands(program, Command, { heading: 'Project:', names: others }, run);
    if (isProject) return;
    program.on('afterHelp', () => console.error(chalkStderr.yellow(`not in a project: ${project}`)));
    for (const name of all.filter((candidate) => !Command.names.includes(candidate)))
        letFail(
            program.command(name, { hidden: true }).helpOption(false),
            new CliError(`${name} needs a project: ${project}`),
        );
}

async function loadApp(project: ProjectFolder): Promise<void> {
    checkPackages(project);
    const { root, entry } = project;
    const file = join(root, entry ?? '');
    const hasEntry = entry !== undefined && existsSync(file);
    try {
        if (hasEntry) await import(pathToFileURL(file).href);
        await importAll();
    } catch (error) {
        const complaint = 'the project cannot be loaded';
        if (!(error instanceof SyntaxError))
            throw new CliError(`${complaint}: ${describeFailure(error, root)}`);
        const cure = OLD_IMPORT.test(error.message) ? ` (import BackgroundJob from 'pinstripe-bot')` : '';
        console.error(`${complaint}${cure}:`);
        throw error;
    }
    if (Command.names.includes('start-bot')) return;
    const what = hasEntry
        ? `${entry} does not import pinstripe-bot yet`
        : 'this project has no entry that imports pinstripe-bot';
    console.error(chalkStderr.yellow(`${what}: run npx pinstripe-bot init`));
}

async function run(name: string, words: Words): Promise<void> {
    const definition: CommandRegistry = Command.for(name);
    const params = paramsOf(definition, words, Boolean(process.stdin.isTTY && process.stdout.isTTY));
    try {
        await Workspace.run(async function () {
            await this['runCommand'](name, params);
        });
    } catch (error) {
        throw isValidationError(error) ? refusal(definition, name, error.errors) : error;
    }
}

// A command may also fail because something that it saves is invalid: then the fields are not its parameters.
function refusal(definition: CommandRegistry, name: string, errors: Record<string, string>): CliError {
    let isUsage = true;
    const lines = Object.entries(errors).map(([field, message]) => {
        if (field === 'general') return message;
        if (Object.hasOwn(definition.params, field))
            return `--${definition.normalizeName(field)}: ${message}`;
        isUsage = false;
        return `${field}: ${message}`;
    });
    if (!isUsage) return new CliError(lines.join('\n'));
    return new UsageError([...lines, `Run npx pinstripe-bot ${name} --help for its options.`].join('\n'));
}
