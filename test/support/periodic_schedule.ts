import { Schedule } from '../../lib/schedule/schedule.js';

/** A schedule without a calendar: due at each second that leaves a rest when divided by a period. */
export function periodic(job: string, period: number, rest: number, ...args: (string | number)[]) {
    const crontab = `${period}+${rest}`;
    const modulo = (value: number) => ((value % period) + period) % period;
    return {
        job,
        declaration: [crontab, ...args],
        crontab,
        timezone: undefined,
        args,
        text: crontab,
        key: JSON.stringify([job, crontab, ...args]),
        next: (after: number) => after + period - modulo(after - rest),
        previous: (before: number) => before - (modulo(before - rest) || period),
        slots: Schedule.prototype.slots,
        matches: (second: number) => modulo(second - rest) === 0,
    } satisfies Schedule;
}
