import { accepting, hasKeys, type Options, readBoolean, readOptions, unknownKey } from './options.js';

/** What is told of jobs in trouble. */
export interface AlertSettings {
    /** After how many runs in a row that failed; false: it is not told. */
    readonly failing: number | false;
    /** Of a run that takes how many times as long as usual; false: it is not told. */
    readonly slow: number | false;
    /** Whether of slots that nobody got to for long. */
    readonly overdue: boolean;
}

const OPTIONS: Options<AlertSettings> = {
    failing: {
        default: 3,
        read: accepting(
            (value) => value === false || (Number.isSafeInteger(value) && Number(value) > 0),
            'is neither a whole number from 1 up nor false',
        ),
    },
    slow: {
        default: 3,
        read: accepting(
            (value) => value === false || (Number.isFinite(value) && Number(value) > 1),
            'is neither a number above 1 nor false',
        ),
    },
    overdue: { default: true, read: readBoolean },
};

/** The alerts of an app whose config says nothing of them. */
export const DEFAULT_ALERTS: AlertSettings = readOptions(OPTIONS, {}, () => {});

const NO_ALERTS: AlertSettings = { failing: false, slow: false, overdue: false };

/**
 * Reads the key, or the setting, `alerts`.
 *
 * @returns those that are given; all of them for `false`
 * @throws TypeError whose message follows on the value
 */
export function readAlerts(value: unknown): Partial<AlertSettings> {
    if (value === false) return NO_ALERTS;
    if (!hasKeys(value)) throw new TypeError('is neither false nor an object: write { failing: 3, slow: 3 }');
    const unknown = unknownKey(OPTIONS, value);
    if (unknown) throw new TypeError(`has an ${unknown}`);
    const read = readOptions(OPTIONS, value, (key, _, complaint) => {
        throw new TypeError(`has a \`${key}\` that ${complaint}`);
    });
    return Object.fromEntries(Object.entries(read).filter(([key]) => value[key] !== undefined));
}
