import type { HookName } from '../../types/background_job.js';
import { BackgroundJob } from '../jobs/background_job.js';
import { type ErrorRecord, readError } from '../text/errors.js';

/** Hears that a hook threw. */
export type HookFailure = (hook: HookName, error: ErrorRecord) => void;

type Callback = (this: object, ...args: unknown[]) => unknown;
type Hookable = Record<'hooks' | 'allHooks', Partial<Record<HookName, Callback[]>>>;

/**
 * Runs the hooks of a job, those of all jobs first. One that throws is reported, and keeps neither the job nor the
 * other hooks from running (the framework's own `runHook` stops at it).
 *
 * @param job the job's instance: `this` of the hooks
 */
export async function runHooks(
    job: object,
    name: string,
    hook: HookName,
    failed: HookFailure,
    ...args: unknown[]
): Promise<void> {
    const Job = BackgroundJob.for(name) as unknown as Hookable;
    // allHooks walks all ancestors of the class, which most jobs need not pay for.
    if (!Job.hooks[hook] && !(BackgroundJob as unknown as Hookable).hooks[hook]) return;
    for (const callback of Job.allHooks[hook] ?? []) {
        try {
            await callback.call(job, ...args);
        } catch (cause) {
            failed(hook, readError(cause));
        }
    }
}
