import { failOnBadParams, runCommand } from '../lib/process/command.js';
import { changeForGood, takeOneOrAll } from '../lib/process/pause_command.js';
import type { Bot } from '../lib/scheduler/bot.js';
import { paint } from '../lib/text/paint.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

/** `pause-background-job`: its slots are skipped in every process, until it is resumed. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description:
                'Pauses a background job, or all of them, in every process: their slots are skipped until they are resumed.',
            example: 'pause-background-job my-cleanup-task',
        });
        takeOneOrAll(this);
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const bot: Bot = this['bot'];
            const { name } = this.params;
            const job = await changeForGood(bot, () => bot.pauseBackgroundJob(name));
            console.log(`${paint.yellow('paused')} ${job ?? 'all background jobs'}`);
        });
    },
};
