import { failOnBadParams, runCommand } from '../lib/process/command.js';
import type { Run } from '../lib/runs/run.js';
import type { Bot } from '../lib/scheduler/bot.js';
import { BadOptionError } from '../lib/text/bad_option_error.js';
import { printJson } from '../lib/text/json_output.js';
import { printable } from '../lib/text/printable.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

/** `run-background-job`: runs one job now, and waits for it. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description: 'Runs a background job now and waits for it; the exit code is its outcome.',
            example: `run-background-job my-cleanup-task --arguments '["hourly", { "deep": true }]' --tenant acme`,
        });
        this.hasParam('name', {
            type: 'string',
            alias: 'arg1',
            description: 'The name of the background job.',
        });
        this.hasParam('arguments', {
            type: 'string',
            optional: true,
            placeholder: 'json',
            description: `What its run() is called with: a JSON array, like '["a", { "b": 1 }]'.`,
        });
        this.hasParam('tenant', {
            type: 'string',
            optional: true,
            description: 'The id of a tenant: run for that one only.',
        });
        this.hasParam('at', {
            type: 'string',
            optional: true,
            placeholder: 'time',
            description: `The slot to run, like '2026-11-25 02:00': with the arguments that its schedule has then.`,
        });
        this.hasParam('json', {
            type: 'boolean',
            optional: true,
            description: 'Print the runs as JSON; what the job prints goes to standard error.',
        });
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const [{ attend }, { runtimeOf }, { runJobNow }, { exitCodeFor, summarise }] = await Promise.all([
                import('../lib/process/attendance.js'),
                import('../lib/scheduler/bot.js'),
                import('../lib/scheduler/requests.js'),
                import('../lib/views/ended_runs.js'),
            ]);
            const { name, tenant: onlyTenant, at, json: isJson = false } = this.params;
            const bot: Bot = this['bot'];
            if (onlyTenant === '') throw new BadOptionError("--tenant '' names no tenant.");
            const args = parseArguments(this.params['arguments']);
            const slot = at === undefined ? undefined : await parseSlot(at, name, bot);
            let runs: readonly Run[] = [];
            const begin = (all: readonly Run[]) => {
                runs = all;
            };
            const over = await attend({ bot, isJson, runs: () => runs }, (signal) =>
                runJobNow({ name, args, onlyTenant, slot, signal, begin }, runtimeOf(bot)),
            );
            // The log has said what the others failed with: once is enough.
            for (const { run, failure } of over)
                if (failure && run.outcome === 'skipped' && run.reason !== 'interrupted')
                    console.error(
                        [printable(failure.message), await whoHolds(run, bot)].filter(Boolean).join('\n'),
                    );
            if (isJson) await printRuns(runs);
            else if (runs.length === 0)
                console.log(`The background job "${printable(name)}" ran for nobody: it has no tenants.`);
            else if (runs.length > 1) console.log(summarise(runs));
            process.exitCode ??= exitCodeFor(runs);
        });
    },
};

async function parseSlot(text: string, name: string, bot: Bot): Promise<number> {
    const [{ parseMomentOption }, { findPlan }, { loadConfig }, { plans }] = await Promise.all([
        import('../lib/time/moment_input.js'),
        import('../lib/scheduler/run_request.js'),
        import('../lib/config/config.js'),
        bot.survey(),
    ]);
    const { schedules, settings } = findPlan(name, plans);
    const [zone, ...others] = new Set(schedules.map(({ timezone }) => timezone));
    const fallback = settings.timezone ?? (await loadConfig()).timezone;
    const timezone = others.length === 0 ? zone : fallback;
    return parseMomentOption('at', text, { now: Math.floor(Date.now() / 1000), timezone });
}

async function printRuns(runs: readonly Run[]): Promise<void> {
    const { runAsJson } = await import('../lib/views/as_json.js');
    printJson({ runs: runs.map(runAsJson) });
}

async function whoHolds(run: Run, bot: Bot): Promise<string | undefined> {
    if (run.reason !== 'overlap') return undefined;
    const [{ describeHolder }, history] = await Promise.all([
        import('../lib/views/ended_runs.js'),
        bot.history(),
    ]);
    return describeHolder(run, history, Date.now()).finally(() => history.close());
}

function parseArguments(text: string | undefined): unknown[] | undefined {
    if (text === undefined) return undefined;
    const complaint = `--arguments ${text || "''"} is not a JSON array, like '["a", { "b": 1 }]'`;
    try {
        const args: unknown = JSON.parse(text);
        if (Array.isArray(args)) return args;
    } catch (error) {
        throw new BadOptionError(`${complaint}: ${(error as Error).message}`);
    }
    throw new BadOptionError(`${complaint}.`);
}
