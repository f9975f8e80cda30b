import { failOnBadParams, runCommand, takeTimezone } from '../lib/process/command.js';
import type { Bot } from '../lib/scheduler/bot.js';
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
            const [
                { findJob, recall, takeOverview },
                { printJob },
                { settingsInForce },
                { hasTenantsTable },
            ] = await Promise.all([
                import('../lib/views/overview.js'),
                import('../lib/views/job_page.js'),
                import('../lib/views/settings_in_force.js'),
                import('../lib/runs/tenants.js'),
            ]);
            const { readError } = await import('../lib/text/errors.js');
            const { rootPath: root } = await this['project'];
            const bot: Bot = this['bot'];
            const open = () => bot.history();
            const overview = await takeOverview(await bot.survey(), open);
            const job = findJob(overview.jobs, name);
            const { found, trouble } = await recall(open, (history) => history.of(job.name, runs), []);
            const surroundings = {
                timezone: overview.timezone,
                hasTenants: await hasTenantsTable().catch(readError),
            };
            const settings = job.plan ? settingsInForce(job.plan, surroundings) : [];
            await printJob(
                { job, settings, past: runs > 0 ? found : undefined },
                { ...overview, historyTrouble: overview.historyTrouble ?? trouble },
                { json, root, timezone: this.params['timezone'] },
            );
        });
    },
};

function checkRuns(this: CommandInstance): void {
    const { runs } = this.params;
    if (runs !== undefined && !(Number.isInteger(runs) && runs >= 0 && runs <= MOST_RUNS))
        this.setValidationError('runs', `It must be a whole number from 0 to ${MOST_RUNS}`);
}
