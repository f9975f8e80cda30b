import { runtimeOf } from '../scheduler/bot.js';
import { findPlan, type RunRequest, runsFor, timezoneOf } from '../scheduler/requests.js';
import { parseMoment } from '../time/moment_input.js';
import { parseArguments } from '../views/requested_runs.js';
import { jobPath, type PageRequest, runPath } from './page.js';

/** What a form has sent. */
export type Form = Readonly<Record<string, unknown>>;

/**
 * Does what a button of a job's page, or of its row, asks for.
 *
 * @returns where to go then
 * @throws Error that says why it cannot be done
 */
export async function actOnJob(request: PageRequest, job: string, form: Form): Promise<string> {
    const { bot, base, by, survey } = request;
    const isOverview = form['from'] === 'overview';
    const back = isOverview ? base : jobPath(request, job);
    const textOf = (name: string) => String(form[name] ?? '').trim() || undefined;
    switch (form['action']) {
        case 'pause':
            await bot.pauseBackgroundJob(job, { reason: textOf('reason'), until: textOf('until'), by });
            return back;
        case 'resume':
            await bot.resumeBackgroundJob(job);
            return back;
        case 'run': {
            const timezone = timezoneOf(findPlan(job, survey.plans), survey.timezone);
            const slot = textOf('slot');
            const now = Math.floor(request.now / 1000);
            const [run, ...others] = await enqueue(request, job, {
                args: parseArguments(textOf('args'), 'Args'),
                onlyTenant: textOf('tenant'),
                slot: slot === undefined ? undefined : parseMoment(slot, { now, timezone }),
            });
            return run && others.length === 0 && !isOverview ? runPath(request, run) : back;
        }
        default:
            throw new Error('There is no such action.');
    }
}

/** Does what a button of a run's page asks for, as `actOnJob` does. */
export async function actOnRun(request: PageRequest, job: string, id: string, form: Form): Promise<string> {
    const run = await request.history.run(job, id);
    if (!run) throw new Error('History does not have this run any more.');
    if (form['action'] === 'abort') {
        await request.bot.cancel(id);
        return runPath(request, run);
    }
    if (form['action'] !== 'again') throw new Error('There is no such action.');
    const onlyTenant = run.tenant === undefined ? undefined : String(run.tenant);
    const [again] = await enqueue(request, job, { args: run.args, onlyTenant });
    return again ? runPath(request, again) : jobPath(request, job);
}

/** Records runs for whoever works. */
async function enqueue(
    { bot, by }: PageRequest,
    name: string,
    wanted: Pick<RunRequest, 'args' | 'onlyTenant' | 'slot'>,
) {
    const runtime = runtimeOf(bot);
    const { plans } = await runtime.ready();
    const plan = findPlan(name, plans);
    const runs = await runsFor({ ...wanted, name, by }, plan);
    for (const run of runs) await runtime.engine.request({ run, plan, isAwaited: false });
    return runs;
}
