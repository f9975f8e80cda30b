import { chalkStderr } from 'chalk';
import { CommanderError } from 'commander';
import { reserveOutput, wantsJson } from '../text/json_output.js';
import { printableLines } from '../text/printable.js';
import { CliError, describeFailure, UsageError } from './errors.js';
import { addInitCommand } from './init.js';
import { createProgram, readWords } from './program.js';
import { findProject } from './project.js';

const FAILURE = 1;
const USAGE = 2;

/** What works without loading the framework. */
const ALONE = ['init', '--version', '-V'];

/**
 * Runs one command line. It prints what goes wrong and sets `process.exitCode`: 1 if a command failed, 2 if the command line
 * makes no sense. A code that the command has set itself stays.
 *
 * @param folder where it was typed, absolute
 */
export async function runCli(words: readonly string[], folder: string): Promise<void> {
    let root: string | undefined;
    const unfinished = () =>
        fail(new CliError('the command waits for something that will never happen'), root);
    process.once('beforeExit', unfinished);
    if (wantsJson(words)) reserveOutput();
    try {
        const found = await findProject(folder);
        root = found?.root;
        const project = found?.manifest['name'] === undefined ? undefined : found;
        const reason = found
            ? `${root}/package.json has no "name"`
            : `there is no package.json in ${folder} or above it`;
        const program = createProgram();
        addInitCommand(program, project, reason);
        const [subject = ''] = words.filter((word) => word !== 'help');
        if (!ALONE.includes(subject)) {
            const { addProjectCommands } = await import('./project_commands.js');
            await addProjectCommands(program, project, reason);
        }
        await program.parseAsync(readWords(program, words), { from: 'user' });
    } catch (error) {
        fail(error, root);
    } finally {
        process.off('beforeExit', unfinished);
    }
}

function fail(error: unknown, root: string | undefined): void {
    if (error instanceof CommanderError) {
        if (error.exitCode !== 0) process.exitCode = USAGE;
        return;
    }
    // Only Node can say in which file and line it is, and does so if nobody catches the error.
    if (error instanceof SyntaxError) {
        process.nextTick(() => {
            throw error;
        });
        return;
    }
    console.error(chalkStderr.red(printableLines(describeFailure(error, root))));
    process.exitCode = error instanceof UsageError ? USAGE : process.exitCode || FAILURE;
}
