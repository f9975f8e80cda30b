import { processTimezone } from '../time/process_timezone.js';
import { steadyOffset } from '../time/steady_offset.js';
import { timezoneFault } from '../time/timezone.js';
import { canonicalJson, type Json, readArgs } from './args.js';
import { BadScheduleError } from './bad_schedule_error.js';
import { everFires, nextSlot, previousSlot } from './calendar.js';
import { splitTimezone } from './crontab.js';
import type { Exceptions } from './exceptions.js';

export type { Json } from './args.js';
export { BadScheduleError } from './bad_schedule_error.js';

/** A fixed time is a slot once on every local day, at its first valid time: so begins each day. */
const MIDNIGHT = '0 0 * * *';

/** After ten years of days that are taken out nobody looks further. */
const MOST_DAYS_OUT = 3_653;

/**
 * One crontab of a background job, with its time zone and args. Its slots are unix seconds and follow the daylight saving
 * rules of crontab(5): a fixed time runs once on every local day, in the hour that does not exist at the first valid time
 * after it; an interval skips that hour and runs through both of the repeated ones.
 */
export class Schedule {
    /** What the schedule is, whatever its position: equal for equal job, crontab, zone and args. */
    readonly key: string;

    /**
     * @param job the job's name, dasherized
     * @param declaration what `this.schedule()` was given
     * @param crontab as declared, with single spaces and without `CRON_TZ=`
     * @param timezone IANA name; undefined: the process's zone
     * @param args frozen: a run gets a copy
     * @param except the local days without slots
     */
    constructor(
        readonly job: string,
        readonly declaration: readonly unknown[],
        readonly crontab: string,
        readonly timezone: string | undefined,
        readonly args: readonly Json[],
        readonly except?: Exceptions | undefined,
    ) {
        this.key = canonicalJson([job, crontab, timezone ?? null, ...args]);
    }

    /** The crontab, with `CRON_TZ=` and the zone in front where it has one. */
    get text(): string {
        return this.timezone === undefined ? this.crontab : `CRON_TZ=${this.timezone} ${this.crontab}`;
    }

    /** The first slot strictly after a time; undefined: there is none. */
    next(after: number): number | undefined {
        const { crontab, timezone } = this;
        let slot = nextSlot(crontab, timezone, after);
        for (let days = 0; slot !== undefined && isOut(slot, this); days++) {
            const tomorrow = nextSlot(MIDNIGHT, timezone, slot);
            if (tomorrow === undefined || days > MOST_DAYS_OUT) return undefined;
            slot = nextSlot(crontab, timezone, tomorrow - 1);
        }
        return slot;
    }

    /** The last slot strictly before a time; undefined: there is none. */
    previous(before: number): number | undefined {
        const { crontab, timezone } = this;
        let slot = previousSlot(crontab, timezone, before);
        for (let days = 0; slot !== undefined && isOut(slot, this); days++) {
            const today = previousSlot(MIDNIGHT, timezone, slot + 1);
            if (today === undefined || days > MOST_DAYS_OUT) return undefined;
            slot = previousSlot(crontab, timezone, today);
        }
        return slot;
    }

    /** The slots strictly between two times, in order. */
    *slots(after: number, until = Infinity): Generator<number> {
        for (let slot = this.next(after); slot !== undefined && slot < until; slot = this.next(slot))
            yield slot;
    }

    /** Whether a second is a slot, or would be but for an exception. */
    matches(second: number): boolean {
        return nextSlot(this.crontab, this.timezone, second - 1) === second;
    }
}

/**
 * Reads one schedule of a job.
 *
 * @param job the job's name, dasherized
 * @param declaration the crontab and args as given to `this.schedule()`. The crontab: five fields as in crontab(5), with
 * optional seconds in front, names, nicknames (`@daily`), `L`, `W` and `#`; `CRON_TZ=Europe/London` in front sets its zone
 * @param defaultTimezone IANA name for a crontab that names no zone; undefined: the process's zone
 * @param except the local days without slots
 * @throws BadScheduleError where it cannot be read, never fires, or has args that JSON does not have
 */
export function createSchedule(
    job: string,
    declaration: readonly [unknown, ...unknown[]],
    defaultTimezone?: string,
    except?: Exceptions,
): Schedule {
    const [text, ...args] = declaration;
    if (typeof text !== 'string') {
        const shown = typeof text === 'object' && text !== null ? 'an object' : String(text);
        throw new BadScheduleError(`${shown}: a crontab is a string, such as '30 6 * * *' (06:30 every day)`);
    }
    try {
        const { crontab, timezone = defaultTimezone } = splitTimezone(text);
        if (!everFires(crontab))
            throw new BadScheduleError('it never fires: no date matches it in 400 years', 'never-fires');
        const fault = timezoneFault(timezone);
        if (fault) throw new BadScheduleError(`${JSON.stringify(timezone)} ${fault}`, 'bad-timezone');
        return new Schedule(job, declaration, crontab, timezone, readArgs(args), except);
    } catch (error) {
        if (!(error instanceof BadScheduleError)) throw error;
        throw new BadScheduleError(`${JSON.stringify(text)}: ${error.message}`, error.fault);
    }
}

function isOut(slot: number, { except, timezone = processTimezone() }: Schedule): boolean {
    if (!except) return false;
    const { offset } = steadyOffset(timezone, slot);
    return except.has(new Date((slot + offset) * 1000).toISOString().slice(0, 10));
}
