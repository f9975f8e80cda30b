import { loadConfig } from '../lib/config/config.js';
import { failOnBadParams, runCommand } from '../lib/process/command.js';
import type { Bot } from '../lib/scheduler/bot.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

/** `start-bot`: the bot without the web server, for a worker process. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description:
                'Starts the bot alone, without the web server, and runs the background jobs on time.',
            example: 'start-bot',
        });
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const { exitSoon, stopOnSignals } = await import('../lib/process/stop_signals.js');
            const { enabled, stopTimeout } = await loadConfig();
            if (!enabled) {
                console.error(
                    'pinstripe.config.js has `bot: false`, which keeps the bot out of start-server: start-bot starts it, with its defaults.',
                );
            }
            const bot: Bot = this['bot'];
            stopOnSignals({ bot, stopTimeout });
            await bot.start();
            exitSoon(bot);
        });
    },
};
