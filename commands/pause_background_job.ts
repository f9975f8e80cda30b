import { definePauseCommand } from '../lib/process/command.js';
import { paint } from '../lib/text/paint.js';

export default definePauseCommand(
    {
        description:
            'Pauses a background job, or all of them, in every process: their slots are skipped until they are resumed.',
        example: `pause-background-job my-cleanup-task --reason 'supplier down' --until '+2h'`,
        params: {
            reason: { optional: true, placeholder: 'text', description: 'Why: lists show it.' },
            until: {
                optional: true,
                placeholder: 'time',
                description: `When the pause ends by itself, like '+2h' or '2026-11-25 14:00' (default: never).`,
            },
        },
    },
    (bot, { name, reason, until }) => bot.pauseBackgroundJob(name, { reason, until }),
    paint.yellow('paused'),
);
