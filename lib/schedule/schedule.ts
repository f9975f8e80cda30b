import { canonicalJson, type Json, readArgs } from './args.js';
import { BadScheduleError } from './bad_schedule_error.js';
import { everFires, nextSlot, previousSlot } from './calendar.js';
import { splitTimezone } from './crontab.js';
import { checkTimezone } from './timezone.js';

export type { Json } from './args.js';
export { BadScheduleError, type ScheduleFault } from './bad_schedule_error.js';
export { checkTimezone } from './timezone.js';

/** One crontab of a background job, with its time zone and args. Times are unix seconds. */
export interface Schedule {
    /** The job's name, dasherized. */
    readonly job: string;
    /** What `this.schedule()` was given. */
    readonly declaration: readonly unknown[];
    /** As declared, with single spaces and without `CRON_TZ=`. */
    readonly crontab: string;
    /** IANA name; undefined: the process's zone. */
    readonly timezone: string | undefined;
    /** Frozen: a run gets a copy. */
    readonly args: readonly Json[];
    /** What the schedule is, whatever its position: equal for equal job, crontab, zone and args. */
    readonly key: string;
    /** The crontab, with `CRON_TZ=` and the zone in front where it has one. */
    readonly text: string;
    /** The first slot strictly after a time; undefined: there is none. */
    next(after: number): number | undefined;
    /** The last slot strictly before a time; undefined: there is none. */
    previous(before: number): number | undefined;
    /** Whether a second is a slot: the same answer as `next(second - 1) === second`. */
    matches(second: number): boolean;
}

/**
 * Reads one schedule of a job. Its slots follow the daylight saving rules of crontab(5): a fixed time runs once on every
 * local day, in the hour that does not exist at the first valid time after it; an interval skips that hour and runs
 * through both of the repeated ones.
 *
 * @param job the job's name, dasherized
 * @param declaration the crontab and args as given to `this.schedule()`. The crontab: five fields as in crontab(5),
 * with optional seconds in front, names, nicknames (`@daily`), `L`, `W` and `#`; `CRON_TZ=Europe/London` in front sets
 * its zone
 * @param defaultTimezone IANA name for a crontab that names no zone; undefined: the process's zone
 * @returns the schedule
 * @throws BadScheduleError where it cannot be read, never fires, or has args that JSON does not have
 */
export function createSchedule(
    job: string,
    declaration: readonly [unknown, ...unknown[]],
    defaultTimezone?: string,
): Schedule {
    const [text, ...args] = declaration;
    if (typeof text !== 'string') {
        throw new BadScheduleError(
            `${show(text)}: a crontab is a string, such as '30 6 * * *' (06:30 every day)`,
        );
    }
    const blame = ({ message, fault }: BadScheduleError) =>
        new BadScheduleError(`${JSON.stringify(text)}: ${message}`, fault);
    try {
        const { crontab, timezone = defaultTimezone } = splitTimezone(text);
        checkCrontab(crontab);
        if (timezone !== undefined) checkZoneOf(timezone);
        return new CronSchedule(job, declaration, crontab, timezone, readArgs(args));
    } catch (error) {
        throw error instanceof BadScheduleError ? blame(error) : error;
    }
}

class CronSchedule implements Schedule {
    constructor(
        readonly job: string,
        readonly declaration: readonly unknown[],
        readonly crontab: string,
        readonly timezone: string | undefined,
        readonly args: readonly Json[],
    ) {}

    get key(): string {
        return canonicalJson([this.job, this.crontab, this.timezone ?? null, ...this.args]);
    }

    get text(): string {
        return this.timezone === undefined ? this.crontab : `CRON_TZ=${this.timezone} ${this.crontab}`;
    }

    next(after: number): number | undefined {
        return nextSlot(this.crontab, this.timezone, after);
    }

    previous(before: number): number | undefined {
        return previousSlot(this.crontab, this.timezone, before);
    }

    matches(second: number): boolean {
        return this.next(second - 1) === second;
    }
}

/** Crontabs that were found good, as many apps have the same few over and over; forgotten when there are too many. */
const good = new Set<string>();
const MOST_GOOD = 10_000;

function checkCrontab(crontab: string): void {
    if (good.has(crontab)) return;
    if (!everFires(crontab))
        throw new BadScheduleError('it never fires: no date matches it in 400 years', 'never-fires');
    if (good.size === MOST_GOOD) good.clear();
    good.add(crontab);
}

function checkZoneOf(timezone: string): void {
    try {
        checkTimezone(timezone);
    } catch (error) {
        throw error instanceof BadScheduleError
            ? new BadScheduleError(`${JSON.stringify(timezone)} ${error.message}`, error.fault)
            : error;
    }
}

function show(value: unknown): string {
    return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
