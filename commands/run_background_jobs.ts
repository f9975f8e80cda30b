import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { JobPlan } from '../lib/jobs/job_plan.js';
import { failOnBadParams, runCommand } from '../lib/process/command.js';
import type { Run } from '../lib/runs/run.js';
import type { Bot } from '../lib/scheduler/bot.js';
import { printJson } from '../lib/text/json_output.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

const RUN_STARTED = 'pinstripe-bot:run-started';

/** `run-background-jobs`: runs all that is due at one second, and waits for it. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description: 'Runs all background jobs that are due at exactly one second, and waits for them.',
            example: `run-background-jobs --at '2026-11-25 02:00'`,
        });
        this.hasParam('at', {
            type: 'string',
            alias: 'arg1',
            placeholder: 'time',
            description: `The second, like '2026-11-25 02:00', '2026-11-25T02:00:00Z', or unix seconds.`,
        });
        this.hasParam('json', {
            type: 'boolean',
            optional: true,
            description: 'Print the runs as JSON; what the jobs print goes to standard error.',
        });
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const [{ parseMomentOption }, { loadConfig }, { exitCodeFor }] = await Promise.all([
                import('../lib/time/moment_input.js'),
                import('../lib/config/config.js'),
                import('../lib/views/ended_runs.js'),
            ]);
            const bot: Bot = this['bot'];
            const { timezone } = await loadConfig();
            const now = Math.floor(Date.now() / 1000);
            const at = parseMomentOption('at', this.params['at'], { now, timezone });
            const isJson = this.params['json'] === true;
            const runs = await runAll(bot, at, isJson);
            const next = nextSlot((await bot.survey()).plans, at);
            if (isJson) await printRuns(runs, at, next);
            else console.log(await asText(runs, { at, next, timezone }));
            process.exitCode ??= exitCodeFor(runs);
        });
    },
};

async function runAll(bot: Bot, at: number, isJson: boolean): Promise<Run[]> {
    const { attend } = await import('../lib/process/attendance.js');
    const started = new Set<Run>();
    const note = (event: unknown) => started.add((event as { run: Run }).run);
    const current = () => [...started].filter(({ endedAt }) => endedAt === undefined).slice(0, 1);
    subscribe(RUN_STARTED, note);
    try {
        return await attend({ bot, isJson, runs: current }, (signal) =>
            bot.runBackgroundJobs(at, { signal }),
        );
    } finally {
        unsubscribe(RUN_STARTED, note);
    }
}

function nextSlot(plans: readonly JobPlan[], after: number): number | undefined {
    const slots = plans
        .flatMap(({ schedules }) => schedules.map((schedule) => schedule.next(after)))
        .filter((slot) => slot !== undefined);
    return slots.length === 0 ? undefined : Math.min(...slots);
}

async function printRuns(runs: readonly Run[], at: number, next: number | undefined): Promise<void> {
    const [{ runAsJson }, { isoSecond }] = await Promise.all([
        import('../lib/views/as_json.js'),
        import('../lib/time/iso_time.js'),
    ]);
    const moments = { at: isoSecond(at), next: next === undefined ? null : isoSecond(next) };
    printJson({ ...moments, runs: runs.map(runAsJson) });
}

async function asText(
    runs: readonly Run[],
    { at, next, timezone }: { at: number; next: number | undefined; timezone: string | undefined },
): Promise<string> {
    const [{ summarise }, { inZone }] = await Promise.all([
        import('../lib/views/ended_runs.js'),
        import('../lib/time/moment.js'),
    ]);
    if (runs.length > 0) return summarise(runs);
    const hint = next === undefined ? 'there are no schedules' : `the next slot is ${inZone(next, timezone)}`;
    return `Nothing is due at ${inZone(at, timezone)}: ${hint}.`;
}
