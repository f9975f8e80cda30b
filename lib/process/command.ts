import type { CommandInstance, CommandParam, CommandRegistry } from '../../types/framework.js';
import { Command } from '../framework.js';
import { ALL_JOBS, describePause, pauseOf } from '../runs/pause.js';
import { type Bot, runtimeOf } from '../scheduler/bot.js';
import { LOCK_TIMEOUT } from '../scheduler/runtime.js';
import { BadOptionError } from '../text/bad_option_error.js';
import { messageOf } from '../text/errors.js';
import { printableLines } from '../text/printable.js';
import { timezoneFault } from '../time/timezone.js';

/** Why a command cannot leave anything to another process. */
const JOURNAL_IN_MEMORY =
    'the journal is kept in memory here, and what is in it ends with this command. ' +
    'A journal in a file (`bot.journal` in pinstripe.config.js; not NODE_ENV=test) keeps it.';

const FAILURE = 1;

/** For a command line that makes no sense; the framework's binary only uses 1. */
const USAGE = 2;

interface Param extends Partial<CommandParam> {
    /** What is wrong with the value, which may be undefined, given the other params. */
    readonly check?: (value: never, params: CommandInstance['params']) => string | undefined;
}

interface CommandDefinition {
    readonly description: string;
    readonly example: string;
    readonly params?: Readonly<Record<string, Param>>;
    run(this: CommandInstance): Promise<void>;
}

export const JOB_NAME: Param = { alias: 'arg1', description: 'The name of the background job.' };

export const TIMEZONE: Param = {
    optional: true,
    placeholder: 'zone',
    description: `The time zone in which times are shown, like Europe/London (default: bot.timezone, else the process's).`,
    check(value: string | undefined) {
        const fault = timezoneFault(value);
        return fault && `"${value}" ${fault}`;
    },
};

export function flag(description: string): Param {
    return { type: 'boolean', optional: true, description };
}

export function wholeNumber(description: string, least: number, most: number): Param {
    const check = (value = least) =>
        Number.isInteger(value) && value >= least && value <= most
            ? undefined
            : `It must be a whole number from ${least} to ${most}`;
    return { type: 'number', optional: true, placeholder: 'count', description, check };
}

/**
 * Defines a command. If it throws, that becomes one line on standard error and exit code 1, or 2 for a BadOptionError under
 * `pinstripe-bot`; an exit code that is already set stays.
 */
export function defineCommand({ params = {}, run, ...texts }: CommandDefinition): object {
    return {
        meta(this: CommandRegistry) {
            this.assignProps(texts);
            for (const [name, { check, ...param }] of Object.entries(params)) {
                this.hasParam(name, param);
                this.addHook('validation', function (this: CommandInstance) {
                    const complaint = check?.(this.params[name] as never, this.params);
                    if (complaint) this.setValidationError(name, complaint);
                });
            }
            failOnBadParams(this);
        },
        async run(this: CommandInstance) {
            // Keeps the process alive even if the command waits only for a promise.
            const keepAlive = setInterval(() => {}, 2 ** 30);
            try {
                await run.call(this);
            } catch (error) {
                console.error(printableLines(messageOf(error)));
                const isUsage = error instanceof BadOptionError && Command.binaryName === 'pinstripe-bot';
                process.exitCode ||= isUsage ? USAGE : FAILURE;
            } finally {
                clearInterval(keepAlive);
            }
        },
    };
}

/**
 * Defines a command that pauses or resumes one job, or all jobs, for other processes.
 *
 * @param change throws a BadOptionError for an option without its dashes
 * @param done what is printed in front of the job: `paused`
 */
export function definePauseCommand(
    { params = {}, ...texts }: Omit<CommandDefinition, 'run'>,
    change: (bot: Bot, params: CommandInstance['params']) => Promise<string | undefined>,
    done: string,
): object {
    const check = (name: string | undefined, { all }: CommandInstance['params']) =>
        Boolean(name) === Boolean(all) ? 'Give either the name of a background job, or --all.' : undefined;
    return defineCommand({
        ...texts,
        params: {
            name: { ...JOB_NAME, optional: true, check },
            all: flag('All background jobs.'),
            ...params,
        },

        async run() {
            const bot: Bot = this['bot'];
            const job = await leaveToOthers(bot, 'Nothing was changed', () => change(bot, this.params));
            // Not before: the config may name another engine.
            const { clock, config, engine } = runtimeOf(bot);
            const pauses = await engine.pauses();
            const own = pauses.filter((pause) => pause.job === (job ?? ALL_JOBS));
            const pause = pauseOf(own, job ?? ALL_JOBS, clock.now());
            const details = pause ? describePause(pause, config.timezone) : '';
            console.log(`${done} ${job ?? 'all background jobs'}${details}`);
        },
    });
}

/**
 * Leaves something to the processes that work, from one that ends thereafter; throws where it would be lost with this one.
 *
 * @param undone what has not happened then: `'Nothing was changed'`
 * @param leave throws a BadOptionError for an option without its dashes
 */
export async function leaveToOthers<T>(bot: Bot, undone: string, leave: () => Promise<T>): Promise<T> {
    const runtime = runtimeOf(bot);
    runtime.lockTimeout = { milliseconds: LOCK_TIMEOUT };
    runtime.leavesToOthers = true;
    await runtime.ready();
    const history = await bot.history();
    await history.close();
    if (!history.isShared) throw new Error(`${undone}: ${JOURNAL_IN_MEMORY}`);
    return leave().catch((error: unknown) => {
        throw error instanceof BadOptionError ? new BadOptionError(`--${error.message}`) : error;
    });
}

/** Makes bad parameters of a command end in exit code 1: the framework's CLI prints them and exits with 0. */
export function failOnBadParams(command: CommandRegistry): void {
    command.addHook('validation', function (this: CommandInstance & { isValidationError(): boolean }) {
        if (this.isValidationError()) process.exitCode = FAILURE;
    });
}
