import { definePauseCommand } from '../lib/process/command.js';
import { paint } from '../lib/text/paint.js';

export default definePauseCommand(
    {
        description:
            'Pauses a background job, or all of them, in every process: their slots are skipped until they are resumed.',
        example: 'pause-background-job my-cleanup-task',
    },
    (bot, name) => bot.pauseBackgroundJob(name),
    paint.yellow('paused'),
);
