import { defineCommand, flag } from '../lib/process/command.js';

export default defineCommand({
    description: 'Runs all background jobs that are due at exactly one second, and waits for them.',
    example: `run-background-jobs --at '2026-11-25 02:00'`,
    params: {
        at: {
            alias: 'arg1',
            placeholder: 'time',
            description: `The second, like '2026-11-25 02:00', '2026-11-25T02:00:00Z', or unix seconds.`,
        },
        json: flag('Print the runs as JSON; what the jobs print goes to standard error.'),
    },

    async run() {
        const { runDueJobs } = await import('../lib/views/requested_runs.js');
        const { at, json = false } = this.params;
        await runDueJobs(this['bot'], at, json);
    },
});
