import { failOnBadParams, runCommand } from '../lib/command_failure.js';
import { paint } from '../lib/paint.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

/** `resume-background-job`: a paused job runs again, from its next slot. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description:
                'Resumes a paused background job, or all of them: slots that came in the meantime do not run.',
            example: 'resume-background-job my-cleanup-task',
        });
        this.hasParam('name', {
            type: 'string',
            alias: 'arg1',
            optional: true,
            description: 'The name of the background job.',
        });
        this.hasParam('all', { type: 'boolean', optional: true, description: 'All background jobs.' });
        this.addHook('validation', function (this: CommandInstance) {
            if (Boolean(this.params['name']) === Boolean(this.params['all']))
                this.setValidationError('name', 'Give either the name of a background job, or --all.');
        });
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const { name } = this.params;
            const job: string | undefined = await this['bot'].resumeBackgroundJob(name);
            console.log(`${paint.green('resumed')} ${job ?? 'all background jobs'}`);
        });
    },
};
