import chalk, { chalkStderr } from 'chalk';
import { Command } from 'commander';
import type { CommandRegistry } from '../../types/framework.js';
import { toError } from '../text/errors.js';
import { printableLines } from '../text/printable.js';
import { declareParams, type Words } from './params.js';

/** A heading of the list of commands, and the commands below it. */
export interface CommandGroup {
    readonly heading: string;
    readonly names: readonly string[];
}

/**
 * Makes the program without its commands: how it helps, and how it refuses. It throws commander's `CommanderError`
 * wherever commander would exit the process.
 *
 * @param version what `--version` prints
 * @returns the program
 */
export function createProgram(version: string): Command {
    return new Command('pinstripe-bot')
        .usage('<command> [options]')
        .description('Background jobs for Pinstripe, and all other commands of the project.')
        .version(version, '-V, --version', 'print the version')
        .helpOption('-h, --help', 'print this help')
        .helpCommand(false)
        .enablePositionalOptions()
        .exitOverride()
        .configureOutput({
            outputError: (text, write) => write(chalkStderr.red(printableLines(inOneLine(text)))),
        })
        .configureHelp({
            subcommandTerm: (command) => command.name(),
            optionTerm: (option) => option.flags.replace(/ \[boolean\]$/, ''),
            styleTitle: (text) => chalk.bold(text),
            styleSubcommandText: (text) => chalk.green(text),
            styleOptionText: (text) => chalk.cyan(text),
        })
        .addHelpText('after', '\nRun pinstripe-bot <command> --help for the options of a command.');
}

/**
 * Adds a group of the framework's commands, each with the options of its own definition.
 *
 * @param program the program
 * @param registry the framework's commands
 * @param group which of them, and their heading
 * @param run runs a command with what the command line has for its params
 */
export function addFrameworkCommands(
    program: Command,
    registry: CommandRegistry,
    group: CommandGroup,
    run: (name: string, words: Words) => Promise<void>,
): void {
    for (const name of group.names) {
        const definition = definitionOf(registry, name);
        if (definition instanceof Error) {
            addBrokenCommand(program, group.heading, name, definition);
            continue;
        }
        const command = addCommand(program, group.heading, name, definition.description ?? '');
        const readParams = declareParams(command, definition);
        if (definition.example !== undefined) command.addHelpText('after', exampleOf(definition.example));
        command.action(() => run(name, readParams()));
    }
}

/**
 * Adds one command, without options yet.
 *
 * @param program the program
 * @param heading the group that lists it
 * @param name the command's name
 * @param description what it does
 * @returns the command
 */
export function addCommand(program: Command, heading: string, name: string, description: string): Command {
    return program
        .command(name)
        .helpGroup(heading)
        .description(description)
        .helpOption('-h, --help', 'print this help')
        .combineFlagAndOptionalValue(false)
        .showHelpAfterError(`Run pinstripe-bot ${name} --help for its options.`);
}

// A command whose `meta()` throws must not take the others with it.
function definitionOf(registry: CommandRegistry, name: string): CommandRegistry | Error {
    try {
        return registry.for(name);
    } catch (error) {
        return toError(error);
    }
}

function addBrokenCommand(program: Command, heading: string, name: string, error: Error): void {
    addCommand(program, heading, name, `(broken: ${error.message})`)
        .allowUnknownOption()
        .allowExcessArguments()
        .action(() => {
            throw error;
        });
}

function exampleOf(example: string): string {
    const lines = example.trim().split('\n');
    return [
        '',
        'Example:',
        ...lines.map((line) => `  ${line.replace(/^(?!pinstripe-bot )/, 'pinstripe-bot ')}`),
    ].join('\n');
}

// Commander's messages begin with `error: `, and have their suggestions in a line of their own.
function inOneLine(message: string): string {
    return message.replace(/^error: /, '').replace('\n(Did you', ' (did you');
}
