import { accepting, readBoolean, readObject, type Values } from './options.js';

// types/background_job.ts says what each means.
const OPTIONS = {
    failing: {
        default: 3,
        read: accepting<number | false>(
            (value) => value === false || (Number.isSafeInteger(value) && Number(value) > 0),
            'is neither a whole number from 1 up nor false',
        ),
    },
    slow: {
        default: 3,
        read: accepting<number | false>(
            (value) => value === false || (Number.isFinite(value) && Number(value) > 1),
            'is neither a number above 1 nor false',
        ),
    },
    overdue: { default: true, read: readBoolean },
};

/** Which trouble of a job is reported. */
export type AlertSettings = Values<typeof OPTIONS>;

const WHAT = 'is neither false nor an object: write { failing: 3, slow: 3 }';

/** The alerts of an app whose config says nothing of them. */
export const DEFAULT_ALERTS: AlertSettings = readObject(OPTIONS, {}, WHAT);

/**
 * Reads the key, or the setting, `alerts`.
 *
 * @returns only what is given; all of it for `false`
 * @throws TypeError whose message follows on the value
 */
export function readAlerts(value: unknown): Partial<AlertSettings> {
    if (value === false) return { failing: false, slow: false, overdue: false };
    const read = Object.entries(readObject(OPTIONS, value, WHAT));
    return Object.fromEntries(read.filter(([key]) => Object(value)[key] !== undefined));
}
