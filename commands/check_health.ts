import { defineCommand, flag } from '../lib/process/command.js';

export default defineCommand({
    description:
        'Says whether the background jobs run as they should, in any process; fails where they do not, with a line for each fault.',
    example: 'check-health',
    params: { json: flag('Print JSON.') },

    async run() {
        const { printHealth } = await import('../lib/views/health.js');
        await printHealth(this['bot'], this.params['json'] === true);
    },
});
