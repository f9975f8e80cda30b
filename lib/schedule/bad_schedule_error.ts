/** What is wrong with a schedule, in a word. */
export type ScheduleFault = 'bad-crontab' | 'never-fires' | 'bad-timezone' | 'bad-args';

/** A schedule, or a part of one, that cannot be. Its message is a reason with a cure; the catcher knows job and file. */
export class BadScheduleError extends Error {
    override readonly name = 'BadScheduleError';

    constructor(
        message: string,
        readonly fault: ScheduleFault = 'bad-crontab',
    ) {
        super(message);
    }
}
