import { readdir } from 'node:fs/promises';
import { relative } from 'node:path';
import { chalkStderr } from 'chalk';
import type { Command as Program } from 'commander';
import type { CommandRegistry } from '../../types/framework.js';
import { Command, isValidationError, Workspace } from '../framework.js';
import { CliError, UsageError } from './error.js';
import { keepUsefulCommands, loadApp, loadPlugin } from './load.js';
import { paramsOf, type Words } from './params.js';
import { addFrameworkCommands } from './program.js';
import type { ProjectFolder } from './project.js';

/**
 * Loads the project, and adds its commands to the program. Tells on stderr what the app has to import, where it has not.
 *
 * @param program the program
 * @param project the project, or undefined outside of one
 * @param reason says why there is no project
 * @returns gives a command's name its own spelling
 * @throws CliError where the project cannot be loaded
 */
export async function addProjectCommands(
    program: Program,
    project: ProjectFolder | undefined,
    reason: string,
): Promise<(name: string) => string> {
    if (project === undefined) await loadPlugin();
    else if (!(await loadApp(project))) console.error(chalkStderr.yellow(hintFor(project)));

    const all = Command.names;
    keepUsefulCommands(project !== undefined, process.env['PINSTRIPE_KEEP_ALL_COMMANDS'] === 'true');
    Command.binaryName = program.name();
    const own = await ownNames();
    const groups = [
        { heading: 'Background jobs:', names: Command.names.filter((name) => own.has(name)) },
        { heading: 'Project:', names: Command.names.filter((name) => !own.has(name)) },
    ];
    for (const group of groups) addFrameworkCommands(program, Command, group, run);
    if (project === undefined) explainMissing(program, all, reason);
    return (name) => Command.normalizeName(name);
}

async function run(name: string, words: Words): Promise<void> {
    const definition: CommandRegistry = Command.for(name);
    const params = paramsOf(definition, words, Boolean(process.stdin.isTTY && process.stdout.isTTY));
    try {
        await Workspace.run(async function () {
            await this['runCommand'](name, params);
        });
    } catch (error) {
        throw isValidationError(error) ? describeRefusal(definition, name, error.errors) : error;
    }
}

// A command may also fail because something that it saves is not valid: then the fields are no parameters of its own.
function describeRefusal(
    definition: CommandRegistry,
    name: string,
    errors: Record<string, string>,
): CliError {
    const fields = Object.keys(errors);
    const isUsage = fields.every((field) => Object.hasOwn(definition.params, field) || field === 'general');
    const lines = Object.entries(errors).map(([field, message]) => {
        if (field === 'general') return message;
        return Object.hasOwn(definition.params, field)
            ? `--${definition.normalizeName(field)}: ${message}`
            : `${field}: ${message}`;
    });
    if (!isUsage) return new CliError(lines.join('\n'));
    return new UsageError([...lines, `Run pinstripe-bot ${name} --help for its options.`].join('\n'));
}

function hintFor({ root, entry }: ProjectFolder): string {
    if (entry === undefined)
        return 'this project has no entry that imports pinstripe-bot: run pinstripe-bot init';
    const file = relative(root, entry);
    return `${file} does not import pinstripe-bot yet: add import 'pinstripe-bot'; to it, or run pinstripe-bot init`;
}

// Each command of ours is a file in commands/ that has its name.
async function ownNames(): Promise<Set<string>> {
    const files = await readdir(new URL('../../commands/', import.meta.url));
    return new Set(
        files.filter((file) => file.endsWith('.js')).map((file) => Command.normalizeName(file.slice(0, -3))),
    );
}

function explainMissing(program: Program, all: readonly string[], reason: string): void {
    program.on('afterHelp', () => console.error(chalkStderr.yellow(`not in a project: ${reason}`)));
    for (const name of all.filter((candidate) => !Command.names.includes(candidate))) {
        program
            .command(name, { hidden: true })
            .helpOption(false)
            .allowUnknownOption()
            .allowExcessArguments()
            .action(() => {
                throw new CliError(`${name} needs a project: ${reason}`);
            });
    }
}
