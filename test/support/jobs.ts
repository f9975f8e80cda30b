import type { Run } from '../../lib/runs/run.js';
import type { BackgroundJobClass, BackgroundJobDefinition } from '../../types/background_job.js';

/** A job with schedules, as its file would define it. */
export function job(
    crontabs: string | readonly string[],
    run: BackgroundJobDefinition['run'] = () => {},
    settings: object = {},
): BackgroundJobDefinition {
    return {
        meta(this: BackgroundJobClass) {
            for (const crontab of [crontabs].flat()) this.schedule(crontab as string);
        },
        ...settings,
        run,
    };
}

/** How a run ended, in a few words: `'mail for acme failed: no paper'`, `'mail skipped (overlap)'`. */
export function ending({ job, tenant, outcome, reason, error }: Run): string {
    const subject = tenant === undefined ? job : `${job} for ${tenant}`;
    return [`${subject} ${outcome}`, reason && ` (${reason})`, error && `: ${error.message}`]
        .filter(Boolean)
        .join('');
}

/** A promise that never settles. */
export function never(): Promise<never> {
    return new Promise(() => {});
}

/** A promise that is resolved by hand. */
export function gate(): { opened: Promise<void>; open(): void } {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
        open = resolve;
    });
    return { opened, open };
}
