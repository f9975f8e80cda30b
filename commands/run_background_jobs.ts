import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Bot } from '../lib/bot.js';
import { failOnBadParams, runCommand } from '../lib/command_failure.js';
import type { JobPlan } from '../lib/job_plan.js';
import type { Run } from '../lib/run.js';
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
            const [{ attend }, report, { inZone }, { parseMomentOption }, { loadConfig }] = await Promise.all(
                [
                    import('../lib/attendance.js'),
                    import('../lib/run_report.js'),
                    import('../lib/moment.js'),
                    import('../lib/moment_input.js'),
                    import('../lib/config.js'),
                ],
            );
            const bot: Bot = this['bot'];
            const { timezone } = await loadConfig();
            const at = parseMomentOption('at', this.params['at'], timezone);
            const isJson = this.params['json'] === true;
            const going = new Set<Run>();
            const note = (event: unknown) => going.add((event as { run: Run }).run);
            subscribe(RUN_STARTED, note);
            const current = () => [...going].filter(({ endedAt }) => endedAt === undefined).slice(0, 1);
            const runs = await attend({ bot, isJson, runs: current }, (signal) =>
                bot.runBackgroundJobs(at, { signal }),
            ).finally(() => unsubscribe(RUN_STARTED, note));
            const next = nextSlot((await bot.survey()).plans, at);
            if (isJson) {
                const iso = (second: number) => new Date(second * 1000).toISOString().replace('.000Z', 'Z');
                const summary = { at: iso(at), next: next === undefined ? null : iso(next) };
                console.log(
                    JSON.stringify({ version: 1, ...summary, runs: runs.map(report.recordOf) }, null, 4),
                );
            } else if (runs.length === 0) {
                const hint =
                    next === undefined
                        ? 'there are no schedules'
                        : `the next slot is ${inZone(next, timezone)}`;
                console.log(`Nothing is due at ${inZone(at, timezone)}: ${hint}.`);
            } else {
                console.log(report.summarise(runs));
            }
            process.exitCode ??= report.exitCodeFor(runs);
        });
    },
};

function nextSlot(plans: readonly JobPlan[], after: number): number | undefined {
    const slots = plans
        .flatMap(({ schedules }) => schedules.map((schedule) => schedule.next(after)))
        .filter((slot) => slot !== undefined);
    return slots.length === 0 ? undefined : Math.min(...slots);
}
