import { findJobName } from '../jobs/job_name.js';
import { hasTenantsTable } from '../runs/tenants.js';
import { readError } from '../text/errors.js';
import { printJson } from '../text/json_output.js';
import { outputWidth } from '../text/terminal.js';
import { displayTimezone } from './display_timezone.js';
import { historyAsJson, printHistoryNote } from './history_note.js';
import { jobAsJson, pastAsJson, problemAsJson } from './job_json.js';
import { type JobPage, NEXT_SLOTS, renderJobPage } from './job_page.js';
import { type JobOverview, recall, type Surveyor, takeOverview } from './overview.js';
import { settingsInForce } from './settings_in_force.js';

/** How to show a job. */
export interface JobShowOptions {
    /** In any spelling. */
    readonly name: string;
    /** How many of its last runs. */
    readonly runs: number;
    readonly json: boolean;
    /** IANA name: on its clock times are shown; undefined: that of the config, else the process's. */
    readonly timezone: string | undefined;
    /** The app's folder. */
    readonly root: string;
}

/**
 * Prints everything on one job. What keeps its history from being read goes to standard error.
 *
 * @param bot whose job
 * @param options which, and how
 * @throws Error for an unknown name; ConfigError
 */
export async function printJob(bot: Surveyor, options: JobShowOptions): Promise<void> {
    const overview = await takeOverview(bot);
    const { jobs, environment } = overview;
    const timezone = displayTimezone(options.timezone, overview.timezone);
    const name = findJobName(
        options.name,
        jobs.map((job) => job.name),
    );
    const job = jobs.find((candidate) => candidate.name === name) as JobOverview;
    const { found: past, trouble } = await recall(bot, (history) => history.of(name, options.runs), []);
    const hasTenants = await hasTenantsTable().catch(readError);
    const settings = job.plan ? settingsInForce(job.plan, { timezone: overview.timezone, hasTenants }) : [];
    const page: JobPage = { job, settings, past: options.runs > 0 ? past : undefined };
    const known = { ...overview, historyTrouble: overview.historyTrouble ?? trouble };
    const now = Date.now();
    if (options.json) return printJson({ job: await pageAsJson(page, now), ...historyAsJson(known) });
    const lines = await renderJobPage(page, { ...options, timezone, now, environment, width: outputWidth() });
    console.log(['', ...lines, ''].join('\n'));
    printHistoryNote(known);
}

async function pageAsJson({ job, settings, past }: JobPage, now: number): Promise<object> {
    return {
        ...(await jobAsJson(job, Math.floor(now / 1000), NEXT_SLOTS)),
        problems: job.problems.map(problemAsJson),
        settings: Object.fromEntries(settings.map(({ name, value, source }) => [name, { value, source }])),
        past: (past ?? []).map(pastAsJson),
    };
}
