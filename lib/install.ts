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
import { theBot } from './process/the_bot.js';

/** Where the installed copy of this package leaves its mark, for others that look for it. */
const MARK = Symbol.for('pinstripe-bot');

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

ServiceFactory.register('bot', {
    create() {
        return theBot;
    },
});

ServiceFactory.register('run-background-job', {
    create(this: Services) {
        const tenant = this.initialParams._headers['x-tenant-id'];
        return (name: string, ...args: unknown[]) => theBot.runBackgroundJob(name, args, tenant);
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
