import checkBackgroundJobs from '../commands/check_background_jobs.js';
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
import { brokenFileProblems } from './jobs/job_plan.js';
import { tenantOf } from './runs/tenants.js';
import { Bot, runtimeOf } from './scheduler/bot.js';
import { reserveOutput, wantsJson } from './text/json_output.js';

/** Where the installed copy of this package leaves its mark, for others that look for it. */
const MARK = Symbol.for('pinstripe-bot');

if (wantsJson(process.argv.slice(2))) reserveOutput();

const marks = globalThis as { [MARK]?: { path: string } };
const { rootPath } = await Project.instance;
const complaint = rootPath === undefined ? undefined : secondCopyMessage(rootPath);
if (complaint) throw new Error(complaint);
if (marks[MARK]) {
    // In one line: what an app's code throws while it is loaded is printed up to its first line's end.
    throw new Error(
        `There are two copies of pinstripe-bot in this process, ${marks[MARK].path} and ${import.meta.url}, which would ` +
            'run every job twice: run `npm dedupe`, and look at `npm ls pinstripe-bot`.',
    );
}
marks[MARK] = { path: import.meta.url };

/** The one bot of this process: `this.bot` in every workspace, request and job. It is kept on no context. */
const theBot = new Bot();

// An app that has job files, and no jobs, would be silent otherwise.
runtimeOf(theBot).explainNoJobs = async () => {
    const { filesNotImported } = await import('./check/folder.js');
    return rootPath && filesNotImported(rootPath, brokenFileProblems());
};

ServiceFactory.register('bot', {
    create() {
        return theBot;
    },
});

ServiceFactory.register('run-background-job', {
    create(this: Services) {
        return (name: string, ...args: unknown[]) => theBot.runBackgroundJob(name, args, tenantOf(this));
    },
});

Command.register('start-server', startServer);
Command.register('check-background-jobs', checkBackgroundJobs);
Command.register('generate-background-job', generateBackgroundJob);
Command.register('list-background-jobs', listBackgroundJobs);
Command.register('show-background-job', showBackgroundJob);
Command.register('preview-background-jobs', previewBackgroundJobs);
Command.register('run-background-job', runBackgroundJob);
Command.register('run-background-jobs', runBackgroundJobs);
Command.register('start-bot', startBot);
Command.register('pause-background-job', pauseBackgroundJob);
Command.register('resume-background-job', resumeBackgroundJob);
