import { pathToFileURL } from 'node:url';
import { chalkStderr } from 'chalk';
import { CommanderError } from 'commander';
import { reserveOutput, wantsJson } from '../text/json_output.js';
import { printableLines } from '../text/printable.js';
import { CliError, FAILURE, USAGE, UsageError } from './error.js';
import { describeFailure, dumpFailure } from './failure.js';
import { addInitCommand } from './init_command.js';
import { checkFramework, otherBinary, ownVersion } from './package_copy.js';
import { createProgram } from './program.js';
import { findProject, type ProjectFolder } from './project.js';
import { readWords } from './words.js';

/**
 * Runs one command line, prints what goes wrong, and sets `process.exitCode`: 1 where a command failed, 2 where it was
 * not understood. A code that the command has set itself stays.
 *
 * @param words what was typed after the executable's name
 * @param folder where it was typed, an absolute path
 */
export async function runCli(words: readonly string[], folder: string): Promise<void> {
    let project: ProjectFolder | undefined;
    const unfinished = (): void =>
        fail(new CliError('the command waits for something that will never happen'), project);
    process.once('beforeExit', unfinished);
    try {
        project = await findProject(folder);
        const other = project && (await otherBinary(project));
        if (other !== undefined) await import(pathToFileURL(other).href);
        else await runHere(words, folder, project);
    } catch (error) {
        fail(error, project);
    } finally {
        process.off('beforeExit', unfinished);
    }
}

async function runHere(
    words: readonly string[],
    folder: string,
    found: ProjectFolder | undefined,
): Promise<void> {
    if (wantsJson(words)) reserveOutput();
    const program = createProgram(await ownVersion());
    const project = found?.name === undefined ? undefined : found;
    const reason =
        found === undefined
            ? `there is no package.json in ${folder} or above it`
            : `${found.root}/package.json has no "name"`;
    const isAbout = (name: string): boolean =>
        words[0] === name || (words[0] === 'help' && words[1] === name);

    if (['--version', '-V'].some(isAbout))
        return void (await program.parseAsync([...words], { from: 'user' }));
    if (isAbout('init')) {
        addInitCommand(program, found, reason);
        const line = readWords(program, words, (name) => name);
        return void (await program.parseAsync(line, { from: 'user' }));
    }
    checkFramework(project);
    const { addProjectCommands } = await import('./project_commands.js');
    const normalizeName = await addProjectCommands(program, project, reason);
    addInitCommand(program, found, reason);
    await program.parseAsync(readWords(program, words, normalizeName), { from: 'user' });
}

function fail(error: unknown, project: ProjectFolder | undefined): void {
    if (error instanceof CommanderError) {
        if (error.exitCode !== 0) process.exitCode = USAGE;
        return;
    }
    const isDebugging = (process.env['DEBUG'] ?? '').split(/[\s,]+/).includes('pinstripe-bot');
    const text = isDebugging ? dumpFailure(error) : describeFailure(error, project?.root);
    console.error(chalkStderr.red(printableLines(text)));
    process.exitCode = error instanceof UsageError ? USAGE : process.exitCode || FAILURE;
}
