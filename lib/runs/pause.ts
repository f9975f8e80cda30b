import { BadOptionError, checkOptions } from '../text/bad_option_error.js';
import { printable } from '../text/printable.js';
import { formatUniqueMoment, inZone, withoutZeroSeconds } from '../time/moment.js';
import { type MomentContext, readTime } from '../time/moment_input.js';
import { readRequester, readText } from './requester.js';

/** A period in which a job's slots do not run, in unix milliseconds. */
export interface Pause {
    /** The job's name, or `ALL_JOBS`. */
    readonly job: string;
    readonly pausedAt: number;
    /** When it ends by itself; undefined: it does not. */
    readonly until: number | undefined;
    readonly reason: string | undefined;
    /** Who has paused the job; undefined: nobody knows. */
    readonly by: string | undefined;
}

/** How a job is paused. */
export interface PauseOptions {
    /** Why the job is paused. */
    readonly reason?: string | undefined;
    /** When it ends by itself: a Date, unix milliseconds, or a text like `'+2h'`. Default: when somebody resumes the job. */
    readonly until?: Date | number | string | undefined;
    /** Who pauses the job. Default: `user@host` of the process. */
    readonly by?: string | undefined;
}

/** The name under which all jobs are paused at once; no job has it. */
export const ALL_JOBS = '*';

const OPTIONS = ['reason', 'until', 'by'];

/** The pause in which a job is at a time, in unix milliseconds; of several the one that ends last. */
export function pauseOf(pauses: readonly Pause[], job: string, at: number): Pause | undefined {
    const end = ({ until = Infinity }: Pause) => until;
    const [last] = pauses
        .filter((pause) => (pause.job === job || pause.job === ALL_JOBS) && end(pause) > at)
        .sort((a, b) => Math.sign(end(b) - end(a)) || 0);
    return last;
}

/** Reads how a job is to be paused from now on. @throws BadOptionError, which begins with the option's name */
export function readPause(job: string, options: PauseOptions, context: MomentContext): Pause {
    checkOptions(options, OPTIONS, 'a pause');
    const { reason, until, by } = options;
    return {
        job,
        pausedAt: Math.floor(context.now * 1000),
        until: until === undefined ? undefined : readUntil(until, context),
        reason: readText('reason', reason),
        by: readRequester(by),
    };
}

function readUntil(until: unknown, context: MomentContext): number {
    const { now, timezone } = context;
    const time = readTime('until', until, { now: Math.floor(now), timezone });
    if (time > now * 1000) return Math.floor(time);
    const shown = typeof until === 'string' ? `"${until}"` : inZone(time / 1000, timezone);
    throw new BadOptionError(`until ${shown} is not in the future: it is ${inZone(now, timezone)}.`);
}

/** Says until when a job is paused, and why: `' until 2026-11-25 14:00: supplier down'`; '' if neither is known. */
export function describePause({ until, reason }: Pause, timezone: string | undefined): string {
    const end =
        until === undefined ? '' : ` until ${withoutZeroSeconds(formatUniqueMoment(until / 1000, timezone))}`;
    return end + (reason === undefined ? '' : `: ${printable(reason)}`);
}
