import { defineCommand, flag, TIMEZONE, wholeNumber } from '../lib/process/command.js';

const SORTS = ['name', 'next'];

export default defineCommand({
    description: 'Lists all background jobs: when they run next, how they did last, and what is wrong.',
    example: 'list-background-jobs --sort next',
    params: {
        sort: {
            optional: true,
            choices: SORTS,
            description: 'name (the default), or next: what runs next comes first.',
            // The framework's own binary takes choices for nothing but a hint.
            check: (sort = 'name') =>
                SORTS.includes(sort) ? undefined : `"${sort}" is neither ${SORTS.join(' nor ')}`,
        },
        paused: flag('Only paused jobs.'),
        next: wholeNumber('How many next slots of each schedule to show (default: 1).', 1, 100),
        timezone: TIMEZONE,
        json: flag('Print JSON.'),
    },

    async run() {
        const { printJobs } = await import('../lib/views/job_list.js');
        const { rootPath } = await this['project'];
        await printJobs(this['bot'], rootPath, this.params);
    },
});
