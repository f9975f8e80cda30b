import { loadConfig } from '../lib/config/config.js';
import { defineCommand } from '../lib/process/command.js';
import { exitSoon, stopOnSignals } from '../lib/process/stop_signals.js';
import type { Bot } from '../lib/scheduler/bot.js';

export default defineCommand({
    description: 'Starts the bot alone, without the web server, and runs the background jobs on time.',
    example: 'start-bot',

    async run() {
        const { enabled, stopTimeout } = await loadConfig();
        if (!enabled)
            console.error(
                'pinstripe.config.js has `bot: false`, which keeps the bot out of start-server: start-bot starts it, with its defaults.',
            );
        const bot: Bot = this['bot'];
        stopOnSignals(bot, stopTimeout);
        await bot.start();
        exitSoon(bot);
    },
});
