import { type Config, ConfigError, DEFAULT_CONFIG, loadConfig } from '../config/config.js';
import { BackgroundJob } from '../jobs/background_job.js';
import { importFault } from '../jobs/job_file.js';
import { brokenFileProblems, planJob } from '../jobs/job_plan.js';
import { findProcessTimezone } from '../time/process_timezone.js';
import type { Finding } from './finding.js';
import { readJobsFolder, readSources } from './jobs_folder.js';
import type { Survey } from './survey.js';

/**
 * Looks at an app as a check needs it: at its config, its jobs, their files and their folder.
 *
 * @param rootPath the project's root
 * @param configPath where its config is, for what is wrong with it
 * @param now unix seconds
 * @returns the survey, and what is wrong with the config, in whose place there are the defaults then
 */
export async function surveyApp(
    rootPath: string,
    configPath: string,
    now: number,
): Promise<{ survey: Survey; configFindings: Finding[] }> {
    const configFindings: Finding[] = [];
    const config = await readConfig(configPath, (finding) => configFindings.push(finding));
    const plans = BackgroundJob.names.map((name) => planJob(name, config?.timezone));
    const problems = [...brokenFileProblems(), ...plans.flatMap((plan) => plan.problems)];
    const files = [...plans, ...problems].flatMap(({ file }) => file ?? []);
    const today = new Date(now * 1000);
    const processTimezone = findProcessTimezone();
    const survey: Survey = {
        plans,
        problems,
        declarations: new Map(plans.map(({ name }) => [name, BackgroundJob.for(name).schedules])),
        sources: await readSources(files),
        folder: await readJobsFolder(rootPath),
        timezone: config?.timezone ?? processTimezone.name,
        timezoneFault: processTimezone.fault,
        firstOfMonth: new Date(today.getFullYear(), today.getMonth() + 1, 1).getTime() / 1000,
        concurrency: config?.concurrency ?? DEFAULT_CONFIG.concurrency,
        now,
    };
    return { survey, configFindings };
}

async function readConfig(file: string, report: (finding: Finding) => void): Promise<Config | undefined> {
    try {
        return await loadConfig();
    } catch (error) {
        const { reason: message, line } =
            error instanceof ConfigError && error.cause === undefined
                ? { reason: error.message, line: undefined }
                : await importFault((error as Error).cause ?? error, file);
        report({
            severity: 'error',
            rule: 'bad-config',
            job: undefined,
            file,
            line,
            schedule: undefined,
            message,
            cure: 'correct it: with a bad config the bot does not start',
        });
        return undefined;
    }
}
