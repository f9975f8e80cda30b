import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { failOnBadParams, runCommand } from '../lib/command_failure.js';
import type { Run } from '../lib/run.js';
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
            const args = parseArguments(this.params['arguments']);
            const told = new Set<unknown>();
            const note = (event: unknown) => told.add((event as { run: Run }).run.error);
            subscribe(RUN_ENDED, note);
            try {
                await this['runBackgroundJob'](this.params['name'], ...args);
            } catch (error) {
                // The log has said what a run failed with: once is enough.
                if (!told.has(error)) throw error;
                process.exitCode = 1;
            } finally {
                unsubscribe(RUN_ENDED, note);
            }
        });
    },
};

const RUN_ENDED = 'pinstripe-bot:run-ended';

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
