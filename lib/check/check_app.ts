import { join } from 'node:path';
import { type Config, ConfigError, DEFAULT_CONFIG, loadConfig } from '../config/config.js';
import { Workspace } from '../framework.js';
import { BackgroundJob } from '../jobs/background_job.js';
import { brokenFileProblems, planJob } from '../jobs/job_plan.js';
import { noteScheduleCalls } from '../jobs/schedule_call.js';
import { importFault } from '../text/import_fault.js';
import { findProcessTimezone } from '../time/process_timezone.js';
import { check } from './check.js';
import type { Finding } from './finding.js';
import { readJobsFolder } from './folder.js';
import type { Report } from './report.js';

const CONFIG_FILE = 'pinstripe.config.js';

/**
 * Checks a loaded app: its config, its jobs, their files and their folder. Where the config is wrong, its defaults count.
 *
 * @param root the app's folder
 * @param now unix seconds
 */
export async function checkApp(root: string, now: number): Promise<Report> {
    const { config, findings } = await readConfig(join(root, CONFIG_FILE));
    noteScheduleCalls();
    const plans = BackgroundJob.names.map((name) => planJob(name, config.timezone));
    const today = new Date(now * 1000);
    const processTimezone = findProcessTimezone();
    const found = check({
        plans,
        problems: [...brokenFileProblems(), ...plans.flatMap((plan) => plan.problems)],
        folder: await readJobsFolder(root),
        timezone: config.timezone ?? processTimezone.name,
        timezoneFault: processTimezone.fault,
        firstOfMonth: new Date(today.getFullYear(), today.getMonth() + 1, 1).getTime() / 1000,
        concurrency: config.concurrency,
        now,
    });
    return {
        findings: [...findings, ...found, ...(await dashboardFindings(config, join(root, CONFIG_FILE)))],
        jobs: plans.length,
        schedules: plans.reduce((sum, { schedules }) => sum + schedules.length, 0),
    };
}

// In production, a request that says nothing of who asks is let in by nobody's intention.
async function dashboardFindings({ dashboard }: Config, file: string): Promise<Finding[]> {
    const authorize = dashboard ? dashboard.authorize : undefined;
    if (!authorize || process.env['NODE_ENV'] !== 'production') return [];
    const level = await Workspace.run(function () {
        return authorize.call(this);
    }).catch(() => undefined);
    if (level !== 'all') return [];
    const message = "bot.dashboard.authorize answers 'all' to a request of which nothing is known";
    const cure = "answer 'all' to those alone who may run, pause and abort jobs";
    return [{ severity: 'warning', rule: 'open-dashboard', file, message, cure }];
}

async function readConfig(file: string): Promise<{ config: Config; findings: Finding[] }> {
    try {
        return { config: await loadConfig(), findings: [] };
    } catch (error) {
        const { reason, line } =
            error instanceof ConfigError && error.cause === undefined
                ? { reason: error.message }
                : await importFault((error as Error).cause ?? error, file);
        const cure = 'correct it: with a bad config the bot does not start';
        const finding = { severity: 'error', rule: 'bad-config', file, line, message: reason, cure } as const;
        return { config: DEFAULT_CONFIG, findings: [finding] };
    }
}
