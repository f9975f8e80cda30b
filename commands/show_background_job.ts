import { failOnBadParams, runCommand } from '../lib/cli/command_failure.js';
import { takeTimezone } from '../lib/views/display_timezone.js';
import type { Surveyor } from '../lib/views/overview.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

const USUAL_RUNS = 10;
const MOST_RUNS = 1_000;

/** `show-background-job`: everything on one job. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description:
                'Shows everything on a background job: schedules, settings and where they come from, its last runs.',
            example: 'show-background-job my-cleanup-task',
        });
        this.hasParam('name', {
            type: 'string',
            alias: 'arg1',
            description: 'The name of the background job.',
        });
        this.hasParam('runs', {
            type: 'number',
            optional: true,
            description: `How many of its last runs to show (default: ${USUAL_RUNS}).`,
        });
        takeTimezone(this);
        this.hasParam('json', { type: 'boolean', optional: true, description: 'Print JSON.' });
        this.addHook('validation', checkRuns);
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const { name, runs = USUAL_RUNS, json = false } = this.params;
            const { printJob } = await import('../lib/views/job_show.js');
            const { rootPath: root } = await this['project'];
            const bot: Surveyor = this['bot'];
            await printJob(bot, { name, runs, json, root, timezone: this.params['timezone'] });
        });
    },
};

function checkRuns(this: CommandInstance): void {
    const { runs } = this.params;
    if (runs !== undefined && !(Number.isInteger(runs) && runs >= 0 && runs <= MOST_RUNS))
        this.setValidationError('runs', `It must be a whole number from 0 to ${MOST_RUNS}`);
}
