import { defineCommand, flag, JOB_NAME, TIMEZONE, wholeNumber } from '../lib/process/command.js';

const USUAL_RUNS = 10;

export default defineCommand({
    description:
        'Shows everything on a background job: schedules, settings and where they come from, its last runs.',
    example: 'show-background-job my-cleanup-task',
    params: {
        name: JOB_NAME,
        runs: wholeNumber(`How many of its last runs to show (default: ${USUAL_RUNS}).`, 0, 1_000),
        timezone: TIMEZONE,
        json: flag('Print JSON.'),
    },

    async run() {
        const { printJob } = await import('../lib/views/job_page.js');
        const { name, runs = USUAL_RUNS, json = false, timezone } = this.params;
        const { rootPath: root } = await this['project'];
        await printJob(this['bot'], name, { runs, json, timezone, root });
    },
});
