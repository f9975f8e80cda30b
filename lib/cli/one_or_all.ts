import type { CommandInstance, CommandRegistry } from '../../types/framework.js';

/**
 * Lets a command take the name of one background job, or `--all`, but not both and not neither.
 *
 * @param command the command's class, in its `meta()`
 */
export function takeOneOrAll(command: CommandRegistry): void {
    command.hasParam('name', {
        type: 'string',
        alias: 'arg1',
        optional: true,
        description: 'The name of the background job.',
    });
    command.hasParam('all', { type: 'boolean', optional: true, description: 'All background jobs.' });
    command.addHook('validation', function (this: CommandInstance) {
        if (Boolean(this.params['name']) === Boolean(this.params['all']))
            this.setValidationError('name', 'Give either the name of a background job, or --all.');
    });
}
