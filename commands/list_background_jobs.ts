import { failOnBadParams, runCommand, takeTimezone } from '../lib/process/command.js';
import type { Bot } from '../lib/scheduler/bot.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

const SORTS = ['name', 'next'];
const MOST_NEXT = 100;

/** `list-background-jobs`: what there is, when it runs next, how it did last, and what is wrong with it. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description:
                'Lists all background jobs: when they run next, how they did last, and what is wrong.',
            example: 'list-background-jobs --sort next',
        });
        this.hasParam('sort', {
            type: 'string',
            optional: true,
            choices: SORTS,
            description: 'name (the default), or next: what runs next comes first.',
        });
        this.hasParam('next', {
            type: 'number',
            optional: true,
            description: 'How many next slots of each schedule to show (default: 1).',
        });
        takeTimezone(this);
        this.hasParam('json', { type: 'boolean', optional: true, description: 'Print JSON.' });
        this.addHook('validation', checkParams);
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const { json = false, next = 1, sort = 'name' } = this.params;
            const [{ takeOverview }, { printJobs }, { filesNotImported }] = await Promise.all([
                import('../lib/views/overview.js'),
                import('../lib/views/job_list.js'),
                import('../lib/check/folder.js'),
            ]);
            const bot: Bot = this['bot'];
            const { rootPath: root } = await this['project'];
            const overview = await takeOverview(await bot.survey(), () => bot.history());
            const notImported = await filesNotImported(root, overview.jobs);
            const { timezone } = this.params;
            await printJobs(overview, { json, next, sort, root, timezone, notImported });
        });
    },
};

// The framework's own binary takes choices for nothing but a hint.
function checkParams(this: CommandInstance): void {
    const { sort, next } = this.params;
    if (sort !== undefined && !SORTS.includes(sort))
        this.setValidationError('sort', `"${sort}" is neither ${SORTS.join(' nor ')}`);
    if (next !== undefined && !(Number.isInteger(next) && next >= 1 && next <= MOST_NEXT))
        this.setValidationError('next', `It must be a whole number from 1 to ${MOST_NEXT}`);
}
