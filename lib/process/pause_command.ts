import { type Bot, runtimeOf } from '../scheduler/bot.js';
import { LOCK_TIMEOUT } from '../scheduler/runtime.js';
import { defineCommand, flag, JOB_NAME } from './command.js';

/**
 * Defines a command that changes the pause of one job, or of all, from a process that ends thereafter: the pause has to
 * outlast it.
 *
 * @param change changes it, of one job or of all; JournalLockedError
 * @param done the word for what it has done
 */
export function definePauseCommand(
    texts: { readonly description: string; readonly example: string },
    change: (bot: Bot, name: string | undefined) => Promise<string | undefined>,
    done: string,
): object {
    return defineCommand({
        ...texts,
        params: {
            name: {
                ...JOB_NAME,
                optional: true,
                check: (name: string | undefined, { all }) =>
                    Boolean(name) === Boolean(all)
                        ? 'Give either the name of a background job, or --all.'
                        : undefined,
            },
            all: flag('All background jobs.'),
        },

        async run() {
            const bot: Bot = this['bot'];
            runtimeOf(bot).lockTimeout = { milliseconds: LOCK_TIMEOUT };
            const job = await change(bot, this.params['name']);
            const history = await bot.history();
            await history.close();
            if (!history.isShared)
                throw new Error(
                    'Nothing was changed: the journal is kept in memory here, and a pause would end with this command. ' +
                        'A journal in a file (`bot.journal` in pinstripe.config.js; not NODE_ENV=test) keeps it.',
                );
            console.log(`${done} ${job ?? 'all background jobs'}`);
        },
    });
}
