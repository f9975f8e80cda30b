import { show } from '../text/format.js';

/** A local day as `'2026-12-25'`, a stretch of days with both of its ends as `'2026-12-31/2027-01-01'`, or a rule. */
export type Exception = string | ((day: string) => unknown);

const DAY = /^\d{4}-\d\d-\d\d$/;

/** The local days that are taken out of all schedules of a job. */
export class Exceptions {
    /** First and last days. */
    readonly #stretches: readonly (readonly [first: string, last: string])[];
    readonly #rules: readonly ((day: string) => unknown)[];

    /** @throws TypeError, whose message follows on the value, for what is neither a day, nor a stretch, nor a function */
    constructor(readonly declared: readonly Exception[]) {
        this.#stretches = declared.flatMap((one) => (typeof one === 'string' ? [readStretch(one)] : []));
        this.#rules = declared.filter((one) => typeof one !== 'string');
    }

    /**
     * Whether a local day is taken out. A rule that throws takes no day out; Node prints a warning of it.
     *
     * @param day as `'2026-12-25'`
     */
    has(day: string): boolean {
        return (
            this.#stretches.some(([first, last]) => first <= day && day <= last) ||
            this.#rules.some((rule) => isTrueOf(rule, day))
        );
    }

    /** The last day of all dates; undefined where a rule takes days out for ever. */
    get lastDay(): string | undefined {
        if (this.#rules.length > 0) return undefined;
        return this.#stretches
            .map(([, last]) => last)
            .sort()
            .at(-1);
    }

    toString(): string {
        return this.declared.map((one) => (typeof one === 'string' ? one : 'a function')).join(', ');
    }

    toJSON(): string[] {
        return this.declared.map((one) => (typeof one === 'string' ? one : 'function'));
    }
}

/** Reads the setting `except`; throws as the constructor of `Exceptions` does. */
export function readExceptions(value: unknown): Exceptions {
    if (!Array.isArray(value) || value.length === 0)
        throw new TypeError(`is not a list of days: write ['2026-12-25'], and add functions of a day`);
    for (const one of value)
        if (typeof one !== 'string' && typeof one !== 'function')
            throw new TypeError(`has ${show(one)}, which is neither a day like '2026-12-25' nor a function`);
    return new Exceptions(value);
}

function readStretch(text: string): readonly [string, string] {
    const [first = '', last = first, ...more] = text.split('/');
    for (const day of [first, last])
        if (!isDay(day) || more.length > 0)
            throw new TypeError(
                `has ${show(text)}, which is no day: write '2026-12-25', or '2026-12-31/2027-01-01' for a stretch`,
            );
    if (last < first) throw new TypeError(`has ${show(text)}, which ends before it begins`);
    return [first, last];
}

function isDay(text: string): boolean {
    const time = DAY.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
    return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

const told = new Set<string>();

function isTrueOf(rule: (day: string) => unknown, day: string): boolean {
    try {
        const answer = rule(day);
        if (answer instanceof Promise)
            throw new TypeError('it answers with a promise; it has to answer at once');
        return Boolean(answer);
    } catch (error) {
        const warning = `A function in \`except\` failed for ${day}, which is not taken out: ${error}`;
        if (!told.has(warning)) process.emitWarning(warning);
        told.add(warning);
        return false;
    }
}
