import { failOnBadParams, runCommand } from '../lib/command_failure.js';
import { Command } from '../lib/host.js';
import type { JobPlan } from '../lib/job_plan.js';
import { paint } from '../lib/paint.js';
import { describeProblem, type Problem } from '../lib/problem.js';
import type { Schedule } from '../lib/schedule.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

/** `list-background-jobs`: what there is, when it runs next, and what is wrong with it. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description: 'Lists all background jobs with their schedules and next runs.',
            example: 'list-background-jobs --json',
        });
        this.hasParam('json', { type: 'boolean', optional: true, description: 'Print JSON.' });
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const { plans, problems } = await this['bot'].survey();
            const now = Math.floor(Date.now() / 1000);
            console.log(
                this.params['json']
                    ? JSON.stringify(asJson(plans, problems, now), null, 4)
                    : asText(plans, problems, now),
            );
        });
    },
};

function asJson(plans: readonly JobPlan[], problems: readonly Problem[], now: number): object {
    const jobs = plans.map(({ name, file = null, settings: { description = null }, schedules }) => ({
        name,
        file,
        description,
        schedules: schedules.map((schedule) => ({
            crontab: schedule.crontab,
            timezone: schedule.timezone ?? null,
            args: schedule.args,
            next: iso(schedule.next(now)),
        })),
    }));
    return { version: 1, jobs, problems };
}

function asText(plans: readonly JobPlan[], problems: readonly Problem[], now: number): string {
    if (plans.length === 0 && problems.length === 0) {
        return `\nThere are no background jobs yet. Make one with:\n\n  ${Command.binaryName} generate-background-job --name my-task\n`;
    }
    const rows = plans.flatMap((plan) => rowsOf(plan, now));
    const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
    const lines = rows.map(([name = '', crontab = '', next = '']) =>
        `  * ${paint.green(name.padEnd(widths[0] ?? 0))}  ${crontab.padEnd(widths[1] ?? 0)}  ${next}`.trimEnd(),
    );
    const troubles = problems.map((problem) => `  * ${describeProblem(problem)}`);
    return [
        '',
        'The following background jobs are available:',
        '',
        ...lines,
        ...(troubles.length > 0 ? ['', 'Problems:', '', ...troubles] : []),
        '',
    ].join('\n');
}

function rowsOf(plan: JobPlan, now: number): string[][] {
    if (plan.schedules.length === 0) return [[plan.name, plan.runnable ? 'no schedule' : 'cannot run', '']];
    return plan.schedules.map((schedule, index) => [
        index === 0 ? plan.name : '',
        crontabOf(schedule),
        `next ${iso(schedule.next(now)) ?? 'never'}`,
    ]);
}

function crontabOf({ crontab, timezone, args }: Schedule): string {
    return [crontab, timezone && `(${timezone})`, args.length > 0 && JSON.stringify(args)]
        .filter(Boolean)
        .join(' ');
}

function iso(second: number | undefined): string | null {
    return second === undefined ? null : new Date(second * 1000).toISOString().replace('.000', '');
}
