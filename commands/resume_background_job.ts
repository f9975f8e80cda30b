import { definePauseCommand } from '../lib/process/command.js';
import { paint } from '../lib/text/paint.js';

export default definePauseCommand(
    {
        description:
            'Resumes a paused background job, or all of them: slots that came in the meantime do not run.',
        example: 'resume-background-job my-cleanup-task',
    },
    (bot, { name }) => bot.resumeBackgroundJob(name),
    paint.green('resumed'),
);
