import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chalkStderr } from 'chalk';
import type { Command as Program } from 'commander';
import type { CommandRegistry } from '../../types/framework.js';
import { Command, importAll, isValidationError, Workspace } from '../framework.js';
import { CliError, describeFailure, UsageError } from './errors.js';
import { paramsOf, type Words } from './params.js';
import { addFrameworkCommands } from './program.js';
import { checkPackages, type ProjectFolder } from './project.js';

/** What loading this package leaves in the process. */
const PLUGIN = Symbol.for('pinstripe-bot');

const FOR_EVERYWHERE = ['generate-project', 'list-commands'];
const FOR_NEW_PROJECTS = ['generate-project', 'initialize-project'];

/** What Node says of files that were written for a framework with a registry of background jobs. */
const OLD_IMPORT = /'pinstripe' does not provide an export named 'BackgroundJob'/;

/**
 * Loads the project, and adds its commands to the program: those that the framework's own executable would have. Says on
 * standard error what the app has to import, where it has not.
 *
 * @param project undefined outside of one, for the given reason
 * @throws CliError where the project cannot be loaded
 */
export async function addProjectCommands(
    program: Program,
    project: ProjectFolder | undefined,
    reason: string,
): Promise<void> {
    if (project !== undefined) await loadApp(project);
    await import('../index.js');
    await importAll();

    const all = Command.names;
    const useless = project ? FOR_NEW_PROJECTS : all.filter((name) => !FOR_EVERYWHERE.includes(name));
    const keepsAll = process.env['PINSTRIPE_KEEP_ALL_COMMANDS'] === 'true';
    for (const name of keepsAll ? [] : useless) Command.unregister(name);
    Command.binaryName = program.name();
    const own = await ownNames();
    const groups = [
        { heading: 'Background jobs:', names: Command.names.filter((name) => own.has(name)) },
        { heading: 'Project:', names: Command.names.filter((name) => !own.has(name)) },
    ];
    for (const group of groups) addFrameworkCommands(program, Command, group, run);
    if (project === undefined) explainMissing(program, all, reason);
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
    if (Reflect.has(globalThis, PLUGIN)) return;
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

// A command may also fail because something that it saves is not valid: then the fields are no parameters of its own.
function refusal(definition: CommandRegistry, name: string, errors: Record<string, string>): CliError {
    const isParam = (field: string) => Object.hasOwn(definition.params, field);
    const lines = Object.entries(errors).map(([field, message]) => {
        if (field === 'general') return message;
        return `${isParam(field) ? `--${definition.normalizeName(field)}` : field}: ${message}`;
    });
    const isUsage = Object.keys(errors).every((field) => isParam(field) || field === 'general');
    if (!isUsage) return new CliError(lines.join('\n'));
    return new UsageError([...lines, `Run npx pinstripe-bot ${name} --help for its options.`].join('\n'));
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
