import { chalkStderr } from 'chalk';
import { CommanderError } from 'commander';
import { reserveOutput, wantsJson } from '../text/json_output.js';
import { printableLines } from '../text/printable.js';
import { CliError, describeFailure, UsageError } from './errors.js';
import { addInitCommand } from './init.js';
import { createProgram, readWords } from './program.js';
import { findProject, type ProjectFolder } from './project.js';

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
    let project: ProjectFolder | string = '';
    const unfinished = () =>
        fail(new CliError('the command waits for something that will never happen'), project);
    process.once('beforeExit', unfinished);
    if (wantsJson(words)) reserveOutput();
    try {
        project = await findProject(folder);
        const program = createProgram();
        addInitCommand(program, project);
        const [subject = ''] = words.filter((word) => word !== 'help');
        if (!ALONE.includes(subject)) {
            const { addProjectCommands } = await import('./project_commands.js');
            await addProjectCommands(program, project);
        }
        await program.parseAsync(readWords(program, words), { from: 'user' });
    } catch (error) {
        fail(error, project);
    } finally {
        process.off('beforeExit', unfinished);
    }
}

function fail(error: unknown, project: ProjectFolder | string): void {
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
    const root = typeof project === 'string' ? undefined : project.root;
    console.error(chalkStderr.red(printableLines(describeFailure(error, root))));
    process.exitCode = error instanceof UsageError ? USAGE : process.exitCode || FAILURE;
}
