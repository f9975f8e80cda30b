import { defineCommand, flag, JOB_NAME } from '../lib/process/command.js';
import type { CommandInstance } from '../types/framework.js';

const onlyWithFrom = (value: unknown, { from }: CommandInstance['params']) =>
    value !== undefined && from === undefined ? 'It needs --from' : undefined;

export default defineCommand({
    description:
        'Runs a background job now and waits for it; the exit code is its outcome. With --from it runs the slots of a past time, with --in it only records a run for later.',
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
        in: {
            optional: true,
            placeholder: 'duration',
            description:
                'Record a run that starts after so long, like 10m, and end at once: a started bot runs it.',
            check: (wait: string | undefined, { at, force }: CommandInstance['params']) =>
                wait !== undefined && (at !== undefined || force)
                    ? 'It excludes --at and --force'
                    : undefined,
        },
        from: {
            optional: true,
            placeholder: 'time',
            description:
                'Run the slots from then on, one after another, with the arguments that the schedules have.',
            check: (from: string | undefined, { at, in: wait }: CommandInstance['params']) =>
                from !== undefined && (at !== undefined || wait !== undefined)
                    ? 'It excludes --at and --in'
                    : undefined,
        },
        to: {
            optional: true,
            placeholder: 'time',
            description: 'Until when; a slot at that time does not run (default: now).',
            check: onlyWithFrom,
        },
        onlyMissing: { ...flag('Of these only slots without a successful run.'), check: onlyWithFrom },
        dryRun: { ...flag('Only say which slots would run.'), check: onlyWithFrom },
        yes: { ...flag('Run even more than 1,000 slots.'), check: onlyWithFrom },
        force: flag("Run it even if the job's skipWhen() would skip it."),
        json: flag('Print the runs as JSON; what the job prints goes to standard error.'),
    },

    async run() {
        const { runJob, enqueueJob } = await import('../lib/views/requested_runs.js');
        const { name, in: wait, from, ...options } = this.params;
        if (from !== undefined) {
            const { runBackfill } = await import('../lib/views/backfill.js');
            return runBackfill(this['bot'], name, { ...options, from });
        }
        if (wait === undefined) await runJob(this['bot'], name, options);
        else await enqueueJob(this['bot'], name, { ...options, in: wait });
    },
});
