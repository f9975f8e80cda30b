import { defineCommand, flag } from '../lib/process/command.js';

export default defineCommand({
    description: 'Generates a new background job file in the lib/background_jobs directory.',
    example: `generate-background-job --name my-cleanup-task --schedule '0 2 * * *'`,
    params: {
        name: { alias: 'arg1', description: 'The name of the background job to create.' },
        schedule: {
            optional: true,
            placeholder: 'crontab',
            description: `The crontab of its schedule, in quotes: '0 2 * * *'. Default: every minute.`,
        },
        timezone: {
            optional: true,
            placeholder: 'zone',
            description: 'The time zone of its schedule, like Europe/London.',
        },
        typescript: flag('Write a .ts file.'),
        force: flag('Overwrite a file that differs.'),
    },

    async run() {
        const { generateJob } = await import('../lib/views/new_job.js');
        const { rootPath } = await this['project'];
        const { name, ...options } = this.params;
        await generateJob(rootPath, name, options);
    },
});
