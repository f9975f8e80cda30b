/**
 * A schedule, or a part of one, that cannot be. Its message is one reason, with what to do about it; it names
 * neither job nor file, which the catcher knows.
 */
export class BadScheduleError extends Error {
    override readonly name = 'BadScheduleError';
}
