import { failOnBadParams, runCommand } from '../lib/command_failure.js';
import { paint } from '../lib/paint.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

/** `pause-background-job`: its slots are skipped in every process, until it is resumed. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description:
                'Pauses a background job, or all of them, in every process: their slots are skipped until they are resumed.',
            example: 'pause-background-job my-cleanup-task',
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
            const job: string | undefined = await this['bot'].pauseBackgroundJob(name);
            console.log(`${paint.yellow('paused')} ${job ?? 'all background jobs'}`);
        });
    },
};
