import { defineCommand, flag, JOB_NAME } from '../lib/process/command.js';

export default defineCommand({
    description: 'Runs a background job now and waits for it; the exit code is its outcome.',
    example: `run-background-job my-cleanup-task --arguments '["hourly", { "deep": true }]' --tenant acme`,
    params: {
        name: JOB_NAME,
        arguments: {
            optional: true,
            placeholder: 'json',
            description: `What its run() is called with: a JSON array, like '["a", { "b": 1 }]'.`,
        },
        tenant: {
            optional: true,
            placeholder: 'id',
            description: 'The id of a tenant: run for that one only.',
        },
        at: {
            optional: true,
            placeholder: 'time',
            description: `The slot to run, like '2026-11-25 02:00': with the arguments that its schedule has then.`,
        },
        force: flag("Run it even if the job's skipWhen() would skip it."),
        json: flag('Print the runs as JSON; what the job prints goes to standard error.'),
    },

    async run() {
        const { runJob } = await import('../lib/views/requested_runs.js');
        const { name, ...options } = this.params;
        await runJob(this['bot'], name, options);
    },
});
