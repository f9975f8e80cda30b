export type ScheduleFault = 'bad-crontab' | 'never-fires' | 'bad-timezone' | 'bad-args';

/** A bad schedule, or a bad part of one. Its message has the reason and the cure; whoever catches it knows job and file. */
export class BadScheduleError extends Error {
    override readonly name = 'BadScheduleError';

    constructor(
        message: string,
        readonly fault: ScheduleFault = 'bad-crontab',
    ) {
        super(message);
    }
}
