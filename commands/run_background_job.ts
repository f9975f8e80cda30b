import { failOnBadParams, runCommand } from '../lib/command_failure.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

/** `run-background-job`: runs one job now, and waits for it. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description: 'Runs a background job now and waits for it.',
            example: `run-background-job my-cleanup-task --arguments '["hourly", { "deep": true }]'`,
        });
        this.hasParam('name', {
            type: 'string',
            alias: 'arg1',
            description: 'The name of the background job.',
        });
        this.hasParam('arguments', {
            type: 'string',
            optional: true,
            description: `What its run() is called with: a JSON array, like '["a", { "b": 1 }]'.`,
        });
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            await this['runBackgroundJob'](this.params['name'], ...parseArguments(this.params['arguments']));
        });
    },
};

function parseArguments(text: string | undefined): unknown[] {
    if (!text) return [];
    const complaint = `--arguments ${text} is not a JSON array, like '["a", { "b": 1 }]'`;
    try {
        const args: unknown = JSON.parse(text);
        if (Array.isArray(args)) return args;
    } catch (error) {
        throw new Error(`${complaint}: ${(error as Error).message}`);
    }
    throw new Error(`${complaint}.`);
}
