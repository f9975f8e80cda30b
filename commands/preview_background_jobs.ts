import { failOnBadParams, runCommand, takeTimezone } from '../lib/process/command.js';
import type { Bot } from '../lib/scheduler/bot.js';
import { processTimezone } from '../lib/time/process_timezone.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

/** `preview-background-jobs`: what will run in a stretch of time. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description: 'Shows what will run in a stretch of time, in order, day by day.',
            example: `preview-background-jobs --from '2026-12-24' --to +48h`,
        });
        this.hasParam('from', {
            type: 'string',
            optional: true,
            placeholder: 'time',
            description: `When it begins: '2026-11-25 02:00', unix seconds, -24h (default: now).`,
        });
        this.hasParam('to', {
            type: 'string',
            optional: true,
            placeholder: 'time',
            description: 'When it ends: now, or with a + counted from its beginning (default: +24h).',
        });
        this.hasParam('name', {
            type: 'string',
            alias: 'arg1',
            optional: true,
            description: 'The name of a background job: that one alone.',
        });
        takeTimezone(this);
        this.hasParam('json', { type: 'boolean', optional: true, description: 'Print JSON.' });
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const { name, json = false } = this.params;
            const [
                { parseStretchOptions },
                { findJob, takeOverview },
                { printHistoryNote },
                { printPreview },
            ] = await Promise.all([
                import('../lib/time/moment_input.js'),
                import('../lib/views/overview.js'),
                import('../lib/views/problems.js'),
                import('../lib/views/preview.js'),
            ]);
            const bot: Bot = this['bot'];
            const survey = await bot.survey();
            const timezone = this.params['timezone'] ?? survey.timezone ?? processTimezone();
            const now = Math.floor(Date.now() / 1000);
            const stretch = parseStretchOptions(this.params, { now, timezone });
            if (name === '') throw new Error('--name is empty: leave it out for all jobs.');
            const overview = await takeOverview(survey, () => bot.history());
            const jobs = name ? [findJob(overview.jobs, name)] : overview.jobs;
            await printPreview(jobs, { ...stretch, json, timezone });
            if (!json) printHistoryNote(overview);
        });
    },
};
