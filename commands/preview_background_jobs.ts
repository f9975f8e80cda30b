import { failOnBadParams, runCommand } from '../lib/cli/command_failure.js';
import { displayTimezone, takeTimezone } from '../lib/views/display_timezone.js';
import type { Surveyor } from '../lib/views/overview.js';
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
            description: `When it begins: '2026-11-25 02:00', unix seconds, +24h (default: now).`,
        });
        this.hasParam('to', {
            type: 'string',
            optional: true,
            placeholder: 'time',
            description: 'When it ends; with a + counted from its beginning (default: +24h).',
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
            const [{ parseMomentOption }, { loadConfig }, { printPreview }] = await Promise.all([
                import('../lib/time/moment_input.js'),
                import('../lib/config/config.js'),
                import('../lib/views/preview.js'),
            ]);
            const timezone = displayTimezone(this.params['timezone'], (await loadConfig()).timezone);
            const now = Math.floor(Date.now() / 1000);
            const from = parseMomentOption('from', this.params['from'] ?? 'now', timezone, now);
            const to = parseMomentOption('to', this.params['to'] ?? '+24h', timezone, from);
            if (name === '') throw new Error('--name is empty: leave it out for all jobs.');
            if (to <= from) throw new Error('Nothing lies between: --to is not after --from.');
            const bot: Surveyor = this['bot'];
            await printPreview(bot, { from, to, name, json, timezone });
        });
    },
};
