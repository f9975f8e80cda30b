/** Numbers from here on are milliseconds: in seconds this is the year 5138, in milliseconds March 1973. */
export const LEAST_MILLISECONDS = 1e11;

/** The first unix second of the year 3000, which no schedule reaches: croner ends there. */
export const END_OF_SLOTS = Date.UTC(3000, 0, 1) / 1000;

/** Throws a TypeError for anything but a time in whole unix seconds, saying so when it looks like milliseconds. */
export function checkUnixTime(value: unknown): asserts value is number {
    if (typeof value === 'number' && Math.abs(value) >= LEAST_MILLISECONDS)
        throw new TypeError(
            `${value} looks like milliseconds, not unix seconds: pass Math.floor(Date.now() / 1000)`,
        );
    if (!Number.isSafeInteger(value))
        throw new TypeError(
            `${String(value)} is not a time in whole unix seconds, like Math.floor(Date.now() / 1000)`,
        );
    if ((value as number) >= END_OF_SLOTS)
        throw new TypeError(`${value} is after the year 2999, where schedules end`);
}
