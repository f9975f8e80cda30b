import { runtimeOf } from '../scheduler/bot.js';
import { findPlan, runsFor } from '../scheduler/requests.js';
import { messageOf } from '../text/errors.js';
import { parseMoment } from '../time/moment_input.js';
import { jobPath, type PageRequest, runPath } from './page.js';

/** What a form has sent. */
export type Form = Readonly<Record<string, unknown>>;

/** A form asks for something that cannot be done. */
export class BadFormError extends Error {
    override readonly name = 'BadFormError';
}

/**
 * Does what a button of a job's page, or of its row, asks for.
 *
 * @returns where to go then
 * @throws BadFormError
 */
export async function actOnJob(request: PageRequest, job: string, form: Form): Promise<string> {
    const { bot, base } = request;
    const back = form['from'] === 'overview' ? base : jobPath(request, job);
    switch (form['action']) {
        case 'pause':
            await blaming(() =>
                bot.pauseBackgroundJob(job, {
                    reason: textIn(form, 'reason'),
                    until: textIn(form, 'until'),
                    by: request.by,
                }),
            );
            return back;
        case 'resume':
            await blaming(() => bot.resumeBackgroundJob(job));
            return back;
        case 'run': {
            const runs = await enqueue(request, job, form);
            const [only] = runs;
            return only && runs.length === 1 && back !== base ? runPath(request, only) : back;
        }
        default:
            throw new BadFormError('There is no such action.');
    }
}

/**
 * Does what a button of a run's page asks for.
 *
 * @returns where to go then
 * @throws BadFormError
 */
export async function actOnRun(request: PageRequest, job: string, id: string, form: Form): Promise<string> {
    const run = await request.history.run(job, id);
    if (!run) throw new BadFormError('History does not have this run any more.');
    if (form['action'] === 'abort') {
        await blaming(() => request.bot.cancel(id));
        return runPath(request, run);
    }
    if (form['action'] !== 'again') throw new BadFormError('There is no such action.');
    const tenant = run.tenant === undefined ? {} : { tenant: String(run.tenant) };
    const [again] = await enqueue(request, job, { ...tenant, args: JSON.stringify(run.args) });
    return again ? runPath(request, again) : jobPath(request, job);
}

/** Records runs for whoever works. */
async function enqueue({ bot, survey, now, by }: PageRequest, job: string, form: Form) {
    return blaming(async () => {
        const runtime = runtimeOf(bot);
        const { plans } = await runtime.ready();
        const plan = findPlan(job, plans);
        const zone = plan.schedules[0]?.timezone ?? survey.timezone;
        const slot = textIn(form, 'slot');
        const runs = await runsFor(
            {
                name: job,
                by,
                args: argsIn(textIn(form, 'args')),
                onlyTenant: textIn(form, 'tenant'),
                slot:
                    slot === undefined
                        ? undefined
                        : parseMoment(slot, { now: Math.floor(now / 1000), timezone: zone }),
            },
            plan,
        );
        for (const run of runs) await runtime.engine.request({ run, plan, isAwaited: false });
        return runs;
    });
}

function argsIn(text: string | undefined): unknown[] | undefined {
    if (text === undefined) return undefined;
    const args: unknown = JSON.parse(text);
    if (Array.isArray(args)) return args;
    throw new TypeError(`the args ${text} are no JSON array, like ["a", { "b": 1 }]`);
}

function textIn(form: Form, name: string): string | undefined {
    const value = form[name];
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

async function blaming<T>(work: () => Promise<T>): Promise<T> {
    try {
        return await work();
    } catch (error) {
        throw new BadFormError(messageOf(error));
    }
}
