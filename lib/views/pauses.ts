import { type Bot, runtimeOf } from '../scheduler/bot.js';
import { LOCK_TIMEOUT } from '../scheduler/runtime.js';

/**
 * Changes a pause from a process that ends thereafter: the pause has to outlast it.
 *
 * @param bot the bot of the process
 * @param change pauses or resumes
 * @returns what `change` returns
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
