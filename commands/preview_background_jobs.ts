import { defineCommand, flag, JOB_NAME, TIMEZONE } from '../lib/process/command.js';

export default defineCommand({
    description: 'Shows what will run in a stretch of time, in order, day by day.',
    example: `preview-background-jobs --from '2026-12-24' --to +48h`,
    params: {
        from: {
            optional: true,
            placeholder: 'time',
            description: `When it begins: '2026-11-25 02:00', unix seconds, -24h (default: now).`,
        },
        to: {
            optional: true,
            placeholder: 'time',
            description: 'When it ends: now, or with a + counted from its beginning (default: +24h).',
        },
        name: { ...JOB_NAME, optional: true, description: 'The name of a background job: that one alone.' },
        timezone: TIMEZONE,
        json: flag('Print JSON.'),
    },

    async run() {
        const { printPreview } = await import('../lib/views/preview.js');
        await printPreview(this['bot'], this.params);
    },
});
