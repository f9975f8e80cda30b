import checkBackgroundJobs from '../commands/check_background_jobs.js';
import checkHealth from '../commands/check_health.js';
import generateBackgroundJob from '../commands/generate_background_job.js';
import listBackgroundJobs from '../commands/list_background_jobs.js';
import pauseBackgroundJob from '../commands/pause_background_job.js';
import previewBackgroundJobs from '../commands/preview_background_jobs.js';
import resumeBackgroundJob from '../commands/resume_background_job.js';
import runBackgroundJob from '../commands/run_background_job.js';
import runBackgroundJobs from '../commands/run_background_jobs.js';
import showBackgroundJob from '../commands/show_background_job.js';
import startBot from '../commands/start_bot.js';
import startServer from '../commands/start_server.js';
import type { Services } from '../types/framework.js';
import { secondCopyMessage } from './copies.js';
import { Command, Project, ServiceFactory } from './framework.js';
import { checkUp } from './health/up.js';
import { brokenFileProblems } from './jobs/job_plan.js';
import { runStorage } from './runs/active_run.js';
import { tenantOf } from './runs/tenants.js';
import { Bot, runtimeOf } from './scheduler/bot.js';
import { Runtime } from './scheduler/runtime.js';
import { reserveOutput, wantsJson } from './text/json_output.js';

/** The commands of this package, by name. */
export const OWN_COMMANDS: Readonly<Record<string, object>> = {
    'start-server': startServer,
    'check-background-jobs': checkBackgroundJobs,
    'check-health': checkHealth,
    'generate-background-job': generateBackgroundJob,
    'list-background-jobs': listBackgroundJobs,
    'show-background-job': showBackgroundJob,
    'preview-background-jobs': previewBackgroundJobs,
    'run-background-job': runBackgroundJob,
    'run-background-jobs': runBackgroundJobs,
    'start-bot': startBot,
    'pause-background-job': pauseBackgroundJob,
    'resume-background-job': resumeBackgroundJob,
};

/** Where the installed copy of this package leaves its mark for other copies. */
const MARK = Symbol.for('pinstripe-bot');

if (wantsJson(process.argv.slice(2))) reserveOutput();

const marks = globalThis as { [MARK]?: string };
const { rootPath } = await Project.instance;
const complaint = rootPath === undefined ? undefined : secondCopyMessage(rootPath);
if (complaint) throw new Error(complaint);
// In one line: of what an app throws while it is loaded, only the first line is printed.
if (marks[MARK])
    throw new Error(
        `There are two copies of pinstripe-bot in this process, ${marks[MARK]} and ${import.meta.url}, which would ` +
            'run every job twice: run `npm dedupe`, and look at `npm ls pinstripe-bot`.',
    );
marks[MARK] = import.meta.url;

/** The bot of this process: `this.bot` in every workspace, request and job. No context holds it, as that would destroy it. */
export const theBot = new Bot();

/** The bot of a workspace: in a job, the one that runs it, which may be a simulation's. */
function botFor(workspace: Services): Bot {
    const host = runStorage.getStore()?.host;
    return new Bot(host instanceof Runtime ? host : runtimeOf(theBot), () => tenantOf(workspace));
}

// Otherwise, an app with job files but no jobs would be silent.
runtimeOf(theBot).explainNoJobs = async () => {
    const { filesNotImported } = await import('./check/folder.js');
    return rootPath && filesNotImported(rootPath, brokenFileProblems());
};

checkUp(theBot);
ServiceFactory.register('bot', {
    create(this: Services) {
        return botFor(this);
    },
});
ServiceFactory.register('run-background-job', {
    create(this: Services) {
        return (name: string, ...args: unknown[]) =>
            botFor(this).runBackgroundJob(name, args, tenantOf(this));
    },
});
for (const [name, command] of Object.entries(OWN_COMMANDS)) Command.register(name, command);
