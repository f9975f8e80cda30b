import { readFileSync } from 'node:fs';
import chalk, { chalkStderr } from 'chalk';
import { Command } from 'commander';
import type { CommandRegistry } from '../../types/framework.js';
import { messageOf } from '../text/errors.js';
import { printableLines } from '../text/printable.js';
import { declareParams, type Words, withFlagValues } from './params.js';

/** Makes the program, without commands. It throws a `CommanderError` where commander would exit the process. */
export function createProgram(): Command {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    return new Command('pinstripe-bot')
        .usage('<command> [options]')
        .description('Background jobs for Pinstripe, and all other commands of the project.')
        .version(version, '-V, --version', 'print the version')
        .helpOption('-h, --help', 'print this help')
        .helpCommand(false)
        .enablePositionalOptions()
        .exitOverride()
        .configureOutput({
            // Commander's messages begin with `error: `, and have suggestions on a line of their own; dots say that an
            // option may have several words.
            outputError: (text, write) => {
                const message = text
                    .replace(/^error: /, '')
                    .replace('...>', '>')
                    .replace('\n(Did you', ' (did you');
                write(chalkStderr.red(printableLines(message)));
            },
        })
        .configureHelp({
            subcommandTerm: (command) => command.name(),
            optionTerm: ({ flags }) => flags.replace(/ \[boolean\]$/, '').replace('...>', '>'),
            styleTitle: (text) => chalk.bold(text),
            styleSubcommandText: (text) => chalk.green(text),
            styleOptionText: (text) => chalk.cyan(text),
        })
        .addHelpText('after', '\nRun npx pinstripe-bot <command> --help for the options of a command.');
}

/** Adds commands of the framework's registry, with the options that they define. */
export function addFrameworkCommands(
    program: Command,
    registry: CommandRegistry,
    { heading, names }: { heading: string; names: readonly string[] },
    run: (name: string, words: Words) => Promise<void>,
): void {
    for (const name of names) {
        try {
            const definition: CommandRegistry = registry.for(name);
            const { summary, description = '', example } = definition;
            const command = addCommand(program, heading, name, summary ?? description);
            const readParams = declareParams(command, definition);
            const lines = example?.trim().replace(/^(?:pinstripe-bot )?/gm, '  npx pinstripe-bot ');
            if (lines !== undefined) command.addHelpText('after', `\nExample:\n${lines}`);
            command.action(() => run(name, readParams()));
        } catch (error) {
            // A command whose `meta()` throws must not break the others.
            letFail(addCommand(program, heading, name, `(broken: ${messageOf(error)})`), error);
        }
    }
}

/** Makes a command fail with this error, whatever its words are. */
export function letFail(command: Command, error: unknown): void {
    command.allowUnknownOption().allowExcessArguments();
    command.action(() => {
        throw error;
    });
}

/** Adds one command, without options yet. */
export function addCommand(program: Command, heading: string, name: string, description: string): Command {
    return program
        .command(name)
        .helpGroup(heading)
        .description(description)
        .helpOption('-h, --help', 'print this help')
        .combineFlagAndOptionalValue(false)
        .showHelpAfterError(`Run npx pinstripe-bot ${name} --help for its options.`);
}

/**
 * Rewrites the words of a command line for commander: `help x` becomes `x --help`, and a command may be spelled `paint-wall`,
 * `paint_wall` or `PaintWall`.
 */
export function readWords(program: Command, words: readonly string[]): string[] {
    const [first = '--help', ...rest] = words;
    if (first === 'help') return readWords(program, [...rest, '--help']);
    if (first.startsWith('-')) return [first, ...rest];
    const command = program.commands.find((candidate) => bare(candidate.name()) === bare(first));
    // With more words, commander would print help instead of saying that it knows no such command.
    return command === undefined ? [first] : [command.name(), ...withFlagValues(command, rest)];
}

function bare(name: string): string {
    return name.replace(/[^a-z\d]/gi, '').toLowerCase();
}
