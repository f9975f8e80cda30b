import { canonicalJson, type Json, readArgs } from './args.js';
import { BadScheduleError } from './bad_schedule_error.js';
import { everFires, nextSlot, previousSlot } from './calendar.js';
import { splitTimezone } from './crontab.js';
import { checkTimezone } from './timezone.js';

export type { Json } from './args.js';
export { BadScheduleError } from './bad_schedule_error.js';

/**
 * One crontab of a background job, with its time zone and args. Its slots are unix seconds and follow the daylight saving
 * rules of crontab(5): a fixed time runs once on every local day, in the hour that does not exist at the first valid time
 * after it; an interval skips that hour and runs through both of the repeated ones.
 */
export class Schedule {
    /**
     * @param job the job's name, dasherized
     * @param declaration what `this.schedule()` was given
     * @param crontab as declared, with single spaces and without `CRON_TZ=`
     * @param timezone IANA name; undefined: the process's zone
     * @param args frozen: a run gets a copy
     */
    constructor(
        readonly job: string,
        readonly declaration: readonly unknown[],
        readonly crontab: string,
        readonly timezone: string | undefined,
        readonly args: readonly Json[],
    ) {}

    /** What the schedule is, whatever its position: equal for equal job, crontab, zone and args. */
    get key(): string {
        return canonicalJson([this.job, this.crontab, this.timezone ?? null, ...this.args]);
    }

    /** The crontab, with `CRON_TZ=` and the zone in front where it has one. */
    get text(): string {
        return this.timezone === undefined ? this.crontab : `CRON_TZ=${this.timezone} ${this.crontab}`;
    }

    /** The first slot strictly after a time; undefined: there is none. */
    next(after: number): number | undefined {
        return nextSlot(this.crontab, this.timezone, after);
    }

    /** The last slot strictly before a time; undefined: there is none. */
    previous(before: number): number | undefined {
        return previousSlot(this.crontab, this.timezone, before);
    }

    /** Whether a second is a slot. */
    matches(second: number): boolean {
        return this.next(second - 1) === second;
    }
}

/**
 * Reads one schedule of a job.
 *
 * @param job the job's name, dasherized
 * @param declaration the crontab and args as given to `this.schedule()`. The crontab: five fields as in crontab(5), with
 * optional seconds in front, names, nicknames (`@daily`), `L`, `W` and `#`; `CRON_TZ=Europe/London` in front sets its zone
 * @param defaultTimezone IANA name for a crontab that names no zone; undefined: the process's zone
 * @throws BadScheduleError where it cannot be read, never fires, or has args that JSON does not have
 */
export function createSchedule(
    job: string,
    declaration: readonly [unknown, ...unknown[]],
    defaultTimezone?: string,
): Schedule {
    const [text, ...args] = declaration;
    if (typeof text !== 'string') {
        const shown = typeof text === 'object' && text !== null ? 'an object' : String(text);
        throw new BadScheduleError(`${shown}: a crontab is a string, such as '30 6 * * *' (06:30 every day)`);
    }
    return blaming(`${JSON.stringify(text)}: `, () => {
        const { crontab, timezone = defaultTimezone } = splitTimezone(text);
        if (!everFires(crontab))
            throw new BadScheduleError('it never fires: no date matches it in 400 years', 'never-fires');
        if (timezone !== undefined) blaming(`${JSON.stringify(timezone)} `, () => checkTimezone(timezone));
        return new Schedule(job, declaration, crontab, timezone, readArgs(args));
    });
}

/** Puts what was read in front of the reason against it. */
function blaming<Result>(subject: string, read: () => Result): Result {
    try {
        return read();
    } catch (error) {
        if (!(error instanceof BadScheduleError)) throw error;
        throw new BadScheduleError(subject + error.message, error.fault);
    }
}
