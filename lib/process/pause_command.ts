import type { CommandInstance, CommandRegistry } from '../../types/framework.js';
import { type Bot, runtimeOf } from '../scheduler/bot.js';
import { LOCK_TIMEOUT } from '../scheduler/runtime.js';

/** Lets a command take the name of one background job, or `--all`, but not both and not neither. */
export function takeOneOrAll(command: CommandRegistry): void {
    command.hasParam('name', {
        type: 'string',
        alias: 'arg1',
        optional: true,
        description: 'The name of the background job.',
    });
    command.hasParam('all', { type: 'boolean', optional: true, description: 'All background jobs.' });
    command.addHook('validation', function (this: CommandInstance) {
        if (Boolean(this.params['name']) === Boolean(this.params['all']))
            this.setValidationError('name', 'Give either the name of a background job, or --all.');
    });
}

/**
 * Changes a pause from a process that ends thereafter: the pause has to outlast it.
 *
 * @throws Error where the journal is in memory, so that nobody else would know of it; JournalLockedError
 */
export async function changeForGood<T>(bot: Bot, change: () => Promise<T>): Promise<T> {
    runtimeOf(bot).lockTimeout = { milliseconds: LOCK_TIMEOUT };
    const changed = await change();
    const history = await bot.history();
    await history.close();
    if (history.isShared) return changed;
    throw new Error(
        'Nothing was changed: the journal is kept in memory here, and a pause would end with this command. ' +
            'A journal in a file (`bot.journal` in pinstripe.config.js; not NODE_ENV=test) keeps it.',
    );
}
