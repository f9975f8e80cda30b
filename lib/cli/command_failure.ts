import type { CommandInstance, CommandRegistry } from '../../types/framework.js';
import { Command } from '../framework.js';
import { BadOptionError } from '../text/bad_option_error.js';
import { FAILURE, USAGE } from './errors.js';

/**
 * Lets bad parameters of a command end in exit code 1: the framework's CLI prints them, and exits with 0.
 *
 * @param command the command's class, in its `meta()`
 */
export function failOnBadParams(command: CommandRegistry): void {
    command.addHook('validation', function (this: CommandInstance & { isValidationError(): boolean }) {
        if (this.isValidationError()) process.exitCode = 1;
    });
}

/**
 * Runs a command. What it throws becomes one line on standard error and exit code 1 - under `pinstripe-bot` 2 for
 * a BadOptionError -, unless there is an exit code already. While it goes on, the process stays alive, even if all it waits
 * for is a promise.
 *
 * @param work what the command does
 */
export async function runCommand(work: () => Promise<void>): Promise<void> {
    const keepAlive = setInterval(() => {}, 2 ** 30);
    try {
        await work();
    } catch (error) {
        console.error(error instanceof Error ? error.message : String(error));
        process.exitCode ||= error instanceof BadOptionError ? badOptionCode() : FAILURE;
    } finally {
        clearInterval(keepAlive);
    }
}

// The framework's own binary knows no other code than 1.
function badOptionCode(): number {
    return Command.binaryName === 'pinstripe-bot' ? USAGE : FAILURE;
}
