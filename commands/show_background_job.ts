import { defineCommand, flag, JOB_NAME, TIMEZONE, wholeNumber } from '../lib/process/command.js';

const USUAL_RUNS = 10;

export default defineCommand({
    description:
        'Shows everything about a background job: schedules, settings and where they come from, its last runs; or one run with its output.',
    example: 'show-background-job my-cleanup-task',
    params: {
        name: JOB_NAME,
        runs: wholeNumber(`How many of its last runs to show (default: ${USUAL_RUNS}).`, 0, 1_000),
        run: {
            optional: true,
            placeholder: 'run',
            description:
                'One run alone, with its error, stack and output: its id, or 1 for the last one that started, 2 for the one before.',
        },
        timezone: TIMEZONE,
        json: flag('Print JSON.'),
    },

    async run() {
        const { name, run, runs = USUAL_RUNS, json = false, timezone } = this.params;
        const { rootPath: root } = await this['project'];
        if (run !== undefined) {
            const { printRun } = await import('../lib/views/run_page.js');
            return printRun(this['bot'], name, run, { json, timezone, root });
        }
        const { printJob } = await import('../lib/views/job_page.js');
        await printJob(this['bot'], name, { runs, json, timezone, root });
    },
});
