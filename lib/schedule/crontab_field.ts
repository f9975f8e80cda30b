import { BadScheduleError } from './bad_schedule_error.js';

/** In the order of a crontab with seconds. */
export const FIELD_NAMES = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const;

export type FieldName = (typeof FIELD_NAMES)[number];

/** One of the items that commas separate in a field. */
export interface FieldItem {
    readonly from: number;
    /** The last value: 7 after a Saturday is Sunday. */
    readonly to: number;
    /** undefined: none is written. */
    readonly step: number | undefined;
    /** In capitals: `W`, `L`, `LW` or `#2`; '' where there is none. */
    readonly mark: string;
    /** The item in numbers, for croner. */
    readonly plain: string;
}

export interface Field {
    /** As it is written, with `*` for `?`. */
    readonly text: string;
    readonly items: readonly FieldItem[];
    /** The values that the items without a mark match, in order; Sunday is 0. */
    readonly values: readonly number[];
    /** Whether these are all values that the field can have. */
    readonly isFull: boolean;
    /** The step of a field that is one step through all of its values: 2 for `*\/2` and `0-59/2`; else undefined. */
    readonly step: number | undefined;
}

interface Kind {
    /** Its name in messages. */
    readonly noun: string;
    readonly low: number;
    readonly high: number;
    /** How many values there are: 0 and 7 are one. */
    readonly size: number;
    readonly words?: readonly string[];
    /** What may end an item, or be one. */
    readonly marks?: { readonly pattern: RegExp; readonly meaning: string };
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const DAY_MARKS = {
    pattern: /(?<=^\d+)W$|^LW?$/i,
    meaning: 'L (the last), LW (the last weekday) or 15W (the weekday nearest to the 15th)',
};
const WEEKDAY_MARKS = {
    pattern: /(?<=\w)(?:#0*[1-5]|#?L)$/i,
    meaning: '5#2 (the second Friday) or 5L (the last one)',
};

const KINDS: Readonly<Record<FieldName, Kind>> = {
    second: { noun: 'second', low: 0, high: 59, size: 60 },
    minute: { noun: 'minute', low: 0, high: 59, size: 60 },
    hour: { noun: 'hour', low: 0, high: 23, size: 24 },
    dayOfMonth: { noun: 'day of the month', low: 1, high: 31, size: 31, marks: DAY_MARKS },
    month: { noun: 'month', low: 1, high: 12, size: 12, words: MONTHS },
    dayOfWeek: { noun: 'day of the week', low: 0, high: 7, size: 7, words: WEEKDAYS, marks: WEEKDAY_MARKS },
};

/** The name of a field in messages: `day of the month`. */
export function nounOf(name: FieldName): string {
    return KINDS[name].noun;
}

/**
 * Parses one field.
 *
 * @param text with `*` for `?`; a day of the week may have a plus in front
 * @throws BadScheduleError with what is wrong with the first bad item, and if possible with what to write instead
 */
export function readField(name: FieldName, text: string): Field {
    const kind = KINDS[name];
    const list = name === 'dayOfWeek' ? text.replace(/^\+(?=.)/, '') : text;
    const items = list.split(',').map((item) => readItem(item, kind));
    if (name === 'dayOfMonth' && items.length > 1 && items.some(({ mark }) => mark === 'LW'))
        throw new BadScheduleError('day of the month LW has to stand alone: make it two schedules');
    const picked = items.filter(({ mark }) => mark === '').flatMap((item) => valuesOf(item, kind.size));
    const values = [...new Set(picked)].sort((a, b) => a - b);
    const [first] = items;
    const isStep = items.length === 1 && first?.from === kind.low && first.to === kind.low + kind.size - 1;
    const step = isStep && first.mark === '' ? first.step : undefined;
    return { text, items, values, isFull: values.length === kind.size, step };
}

/** The values of an item, whatever its mark, each as often as the item has it; in a field of 7, Sunday is 0. */
export function valuesOf({ from, to, step = 1 }: FieldItem, size = Infinity): number[] {
    const values: number[] = [];
    for (let value = from; value <= to; value += step) values.push(size === 7 ? value % 7 : value);
    return values;
}

/** Whether an item is one value, with or without a mark: no range, step or star. */
export function isValue({ from, to, step }: FieldItem): boolean {
    return from === to && step === undefined;
}

function readItem(item: string, kind: Kind): FieldItem {
    const { noun, low, high, size } = kind;
    if (item === '') throw new BadScheduleError(`its ${noun} field has a comma too many`);
    const written = kind.marks?.pattern.exec(item)?.[0] ?? '';
    const mark = written.toUpperCase().replace(/#0*(?=L)|(?<=#)0+/, '');
    const [base = '', ...steps] = item.slice(0, item.length - written.length).split('/');
    const step = steps.length > 0 ? readStep(item, base, steps.join('/'), kind) : undefined;
    const tail = `${step === undefined ? '' : `/${step}`}${mark}`;
    // L or LW: anything else without a base has been refused.
    if (base === '') return { step, mark, from: high, to: high, plain: mark };
    if (base === '*') return { step, mark, from: low, to: low + size - 1, plain: `*${tail}` };

    const ends = base.split('-');
    const [from, last] = [ends[0], ends.at(-1)].map((end) => numberOf(end ?? '', kind));
    if (from === undefined || last === undefined || ends.length > 2)
        throw new BadScheduleError(`"${item}" is not a valid ${noun}: write ${legal(kind)}`);
    const outside = [from, last].find((value) => value < low || value > high);
    if (outside !== undefined)
        throw new BadScheduleError(`${noun} ${outside} is out of range (${low}-${high})`);
    // SUN at the end of a range is the 7 after Saturday, but a range from Sunday to SUN is one day.
    const sunday = from % 7 === 0 ? from : 7;
    const to = /sun/i.test(base) && last % 7 === 0 ? sunday : last;
    const write = (first: number, to: number) =>
        `write ${rewritten(first, to, { step: step ?? 1, mark, inWords: /[a-z]/i.test(base) }, kind)}`;
    const first = size === 7 ? from % 7 : from;
    if (from > to) throw new BadScheduleError(`${noun} ${item} runs backwards: ${write(first, to)}`);
    if (step !== undefined && ends.length === 1)
        throw new BadScheduleError(
            `${noun} ${item} needs a range before its slash: ${write(first, low + size - 1)}`,
        );
    const isOne = to === from && step === undefined;
    return { step, mark, from, to, plain: `${from}${isOne ? '' : `-${to}`}${tail}` };
}

function readStep(item: string, base: string, text: string, { noun, low, high, size }: Kind): number {
    const step = Number(text);
    if (!/^\d+$/.test(text) || step === 0)
        throw new BadScheduleError(`${noun} ${item} needs a whole number above 0 after its slash`);
    if (step > size)
        throw new BadScheduleError(`${noun} ${item} steps beyond the range of the field (${low}-${high})`);
    if (base === '')
        throw new BadScheduleError(`${noun} ${item} needs something before its slash: write *${item}`);
    return step;
}

/** Writes a range that may run over the end of its field as items that do not. */
function rewritten(
    from: number,
    to: number,
    { step, mark, inWords }: { step: number; mark: string; inWords: boolean },
    { low, size, words }: Kind,
): string {
    const name = (value: number) => (inWords && words?.[value - low]) || value;
    const range = (from: number, to: number) => {
        const end = from + step > to ? '' : `-${name(to)}${step > 1 ? `/${step}` : ''}`;
        return from > to ? [] : [`${name(from)}${end}${mark}`];
    };
    if (from <= to) return range(from, to).join();
    const last = low + size - 1;
    return [...range(from, last), ...range(low + step - 1 - ((last - from) % step), to)].join();
}

function legal({ low, high, words, marks }: Kind): string {
    const names = words ? `, ${words[0]}-${words.at(-1)}` : '';
    return `${low}-${high}${names}${marks ? `, ${marks.meaning}` : ''}`;
}

function numberOf(text: string, { words, low }: Kind): number | undefined {
    if (/^\d+$/.test(text)) return Number(text);
    const index = words?.indexOf(text.toUpperCase()) ?? -1;
    return index === -1 ? undefined : index + low;
}
