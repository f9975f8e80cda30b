import type { Schedule } from '../../lib/schedule/schedule.js';

/** A schedule without a calendar: due at each second that leaves a rest when divided by a period. */
export function periodic(job: string, period: number, rest: number, ...args: (string | number)[]): Schedule {
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
        next: (after) => after + period - modulo(after - rest),
        previous: (before) => before - (modulo(before - rest) || period),
        matches: (second) => modulo(second - rest) === 0,
    };
}
