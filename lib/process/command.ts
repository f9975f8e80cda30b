import type { CommandInstance, CommandRegistry } from '../../types/framework.js';
import { Command } from '../framework.js';
import { readTimezone } from '../schedule/timezone.js';
import { BadOptionError } from '../text/bad_option_error.js';
import { messageOf } from '../text/errors.js';
import { printableLines } from '../text/printable.js';

const FAILURE = 1;

/** What `pinstripe-bot` exits with where a command line was not understood; the framework's binary knows only 1. */
const USAGE = 2;

/** Lets bad parameters of a command end in exit code 1: the framework's CLI prints them, and exits with 0. */
export function failOnBadParams(command: CommandRegistry): void {
    command.addHook('validation', function (this: CommandInstance & { isValidationError(): boolean }) {
        if (this.isValidationError()) process.exitCode = FAILURE;
    });
}

/** Lets a command take the time zone on whose clock it shows times. */
export function takeTimezone(command: CommandRegistry): void {
    command.hasParam('timezone', {
        type: 'string',
        optional: true,
        placeholder: 'zone',
        description: `The time zone in which times are shown, like Europe/London (default: bot.timezone, else the process's).`,
    });
    command.addHook('validation', function (this: CommandInstance) {
        const { timezone } = this.params;
        try {
            if (timezone !== undefined) readTimezone(timezone);
        } catch (error) {
            this.setValidationError('timezone', `"${timezone}" ${(error as Error).message}`);
        }
    });
}

/**
 * Runs a command. What it throws becomes one line on standard error and exit code 1 - under `pinstripe-bot` 2 for
 * a BadOptionError -, unless there is an exit code already. While it goes on, the process stays alive, even if all it
 * waits for is a promise.
 */
export async function runCommand(work: () => Promise<void>): Promise<void> {
    const keepAlive = setInterval(() => {}, 2 ** 30);
    try {
        await work();
    } catch (error) {
        console.error(printableLines(messageOf(error)));
        const isUsage = error instanceof BadOptionError && Command.binaryName === 'pinstripe-bot';
        process.exitCode ||= isUsage ? USAGE : FAILURE;
    } finally {
        clearInterval(keepAlive);
    }
}
