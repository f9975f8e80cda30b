import { show } from '../text/format.js';

const DAY = /^\d{4}-\d\d-\d\d$/;

type Rule = (day: string) => unknown;

/** The setting `except`: the local days on which a job's schedules have no slots. */
export class Exceptions {
    readonly #declared: readonly (string | Rule)[];
    readonly #periods: readonly (readonly [first: string, last: string])[];
    readonly #rules: readonly Rule[];

    /**
     * @param value days (`'2026-12-25'`), periods that include both ends (`'2026-12-31/2027-01-01'`), and functions of a day
     * @throws TypeError whose message follows on the value
     */
    constructor(value: unknown) {
        if (!Array.isArray(value) || value.length === 0)
            throw new TypeError(`is not a list of days: write ['2026-12-25'], and add functions of a day`);
        for (const one of value)
            if (typeof one !== 'string' && typeof one !== 'function')
                throw new TypeError(
                    `has ${show(one)}, which is neither a day like '2026-12-25' nor a function`,
                );
        this.#declared = value;
        this.#periods = value.filter((one) => typeof one === 'string').map(readPeriod);
        this.#rules = value.filter((one) => typeof one === 'function');
    }

    /** Whether a day, such as `'2026-12-25'`, is an exception. A rule that throws makes none, and Node prints a warning. */
    has(day: string): boolean {
        return (
            this.#periods.some(([first, last]) => first <= day && day <= last) ||
            this.#rules.some((rule) => isTrueOf(rule, day))
        );
    }

    /** The last exception; undefined if there is a rule, which has no end. */
    get lastDay(): string | undefined {
        if (this.#rules.length > 0) return undefined;
        const lastDays = this.#periods.map(([, last]) => last);
        return lastDays.sort().at(-1);
    }

    toString(): string {
        return this.#declared.map((one) => (typeof one === 'string' ? one : 'a function')).join(', ');
    }

    toJSON(): string[] {
        return this.#declared.map((one) => (typeof one === 'string' ? one : 'function'));
    }
}

function readPeriod(text: string): readonly [string, string] {
    const [first = '', last = first, ...more] = text.split('/');
    for (const day of [first, last])
        if (!isDay(day) || more.length > 0)
            throw new TypeError(
                `has ${show(text)}, which is not a day: write '2026-12-25', or '2026-12-31/2027-01-01' for several`,
            );
    if (last < first) throw new TypeError(`has ${show(text)}, which ends before it begins`);
    return [first, last];
}

function isDay(text: string): boolean {
    const time = DAY.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
    return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

const told = new Set<string>();

function isTrueOf(rule: Rule, day: string): boolean {
    try {
        const answer = rule(day);
        if (answer instanceof Promise)
            throw new TypeError('it answers with a promise, but has to answer immediately');
        return Boolean(answer);
    } catch (error) {
        const warning = `A function in \`except\` failed for ${day}, so the day keeps its slots: ${error}`;
        if (!told.has(warning)) process.emitWarning(warning);
        told.add(warning);
        return false;
    }
}
