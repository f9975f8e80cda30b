import { failOnBadParams, runCommand } from '../lib/process/command.js';
import { changeForGood, takeOneOrAll } from '../lib/process/pause_command.js';
import type { Bot } from '../lib/scheduler/bot.js';
import { paint } from '../lib/text/paint.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

/** `resume-background-job`: a paused job runs again, from its next slot. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description:
                'Resumes a paused background job, or all of them: slots that came in the meantime do not run.',
            example: 'resume-background-job my-cleanup-task',
        });
        takeOneOrAll(this);
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const bot: Bot = this['bot'];
            const { name } = this.params;
            const job = await changeForGood(bot, () => bot.resumeBackgroundJob(name));
            console.log(`${paint.green('resumed')} ${job ?? 'all background jobs'}`);
        });
    },
};
