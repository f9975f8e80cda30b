interface Field {
    readonly name: string;
    readonly low: number;
    readonly high: number;
    readonly words?: readonly string[];
    /** What may stand at the end of a value, or for one. */
    readonly marks?: { readonly pattern: RegExp; readonly meaning: string };
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const FIELDS: readonly Field[] = [
    { name: 'second', low: 0, high: 59 },
    { name: 'minute', low: 0, high: 59 },
    { name: 'hour', low: 0, high: 23 },
    {
        name: 'day of the month',
        low: 1,
        high: 31,
        marks: {
            pattern: /(?<=\d)W$|^LW?$/i,
            meaning: 'L (the last), LW (the last weekday) or 15W (the weekday nearest to the 15th)',
        },
    },
    { name: 'month', low: 1, high: 12, words: MONTHS },
    {
        name: 'day of the week',
        low: 0,
        high: 7,
        words: WEEKDAYS,
        marks: { pattern: /(?<=\w)(?:#[1-5L]|L)$/i, meaning: '5#2 (the second Friday) or 5L (the last one)' },
    },
];

const NICKNAMES = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

const FIVE_FIELDS = `a crontab has five fields, minute hour day-of-month month day-of-week: '30 6 * * 1-5' is 06:30 from Monday to Friday`;

/** A crontab taken apart: its time zone, where it names one in front, and the rest. */
export interface CrontabText {
    /** With single spaces, without the zone. */
    readonly crontab: string;
    readonly timezone: string | undefined;
}

/**
 * Takes the time zone off a crontab: `CRON_TZ=Europe/London 0 2 * * *` (or `TZ=`, as other crons have it).
 *
 * @param text what a job declared
 * @returns the crontab and its zone, neither of them checked
 */
export function splitTimezone(text: string): CrontabText {
    const crontab = text.trim().replace(/\s+/g, ' ');
    const [prefix, timezone] = /^(?:CRON_)?TZ=(\S*) ?/.exec(crontab) ?? [''];
    return { crontab: crontab.slice(prefix.length), timezone };
}

/**
 * Finds what is wrong with the shape of a crontab: what it is not, rather than what its fields say.
 *
 * @param crontab a crontab without its zone
 * @returns the reason against it, or undefined where it has five or six fields or is a known nickname
 */
export function misshape(crontab: string): string | undefined {
    if (crontab === '') return `it is empty: ${FIVE_FIELDS}`;
    if (crontab.toLowerCase() === '@reboot') {
        return '@reboot has no times to run at: do what has to be done at start where the server starts';
    }
    if (crontab.startsWith('@')) {
        return NICKNAMES.includes(crontab.toLowerCase())
            ? undefined
            : `unknown nickname: there are ${NICKNAMES.join(', ')}`;
    }
    if (crontab.includes(':')) {
        return `it looks like a date or a time, and a schedule repeats: '30 6 * * *' is 06:30 every day`;
    }
    const count = crontab.split(' ').length;
    if (count < 5) return `it has ${count} field${count === 1 ? '' : 's'}: ${FIVE_FIELDS}`;
    if (count > 6)
        return `it has ${count} fields: ${FIVE_FIELDS}; a sixth in front is for seconds, and there is none for years`;
    return undefined;
}

/**
 * Finds the field that makes a crontab unreadable.
 *
 * @param crontab five or six fields that the parser refused
 * @returns the reason against the first bad field, or undefined where none is obviously bad
 */
export function badField(crontab: string): string | undefined {
    const texts = crontab.split(' ');
    const fields = FIELDS.slice(-texts.length);
    for (const [index, field] of fields.entries()) {
        for (const item of (texts[index] ?? '').replace(/^\+(?=.)/, '').split(',')) {
            const reason = badItem(item, field);
            if (reason !== undefined) return reason;
        }
    }
    return undefined;
}

function badItem(item: string, field: Field): string | undefined {
    if (item === '') return `its ${field.name} field has a comma too many`;
    const [base = '', step, ...more] = item.split('/');
    if (step !== undefined || more.length > 0) return badStep(item, base, step, field);
    return badBase(base, field);
}

function badStep(item: string, base: string, step: string | undefined, field: Field): string | undefined {
    const width = field.high - field.low + 1;
    if (step === undefined || !/^\d+$/.test(step) || Number(step) === 0) {
        return `${field.name} ${item} needs a whole number above 0 after its slash`;
    }
    if (Number(step) > width) {
        return `${field.name} ${item} steps further than the field goes (${field.low}-${field.high})`;
    }
    if (base === '') return `${field.name} ${item} needs something before its slash: write */${step}`;
    if (/^\d+$/.test(base))
        return `${field.name} ${item} needs a range before its slash: write ${base}-${field.high}/${step}`;
    return badBase(base, field);
}

function badBase(base: string, field: Field): string | undefined {
    const plain = field.marks ? base.replace(field.marks.pattern, '') : base;
    if (plain === '*' || plain === '?' || (plain === '' && base !== '')) return undefined;
    const ends = plain.split('-');
    const values = ends.map((end) => numberOf(end, field));
    if (ends.length > 2 || values.includes(undefined))
        return `"${base}" is no ${field.name}: write ${legal(field)}`;
    const [from = 0, to = from] = values;
    const outside = [from, to].find(
        (value) => value !== undefined && (value < field.low || value > field.high),
    );
    if (outside !== undefined) return `${field.name} ${outside} is out of range (${field.low}-${field.high})`;
    if (from <= to) return undefined;
    const [first, last] = field.words ? [field.words[0], field.words.at(-1)] : [field.low, field.high];
    return `${field.name} ${base} runs backwards: write ${ends[0]}-${last},${first}-${ends[1]}`;
}

function legal({ low, high, words, marks }: Field): string {
    const names = words ? `, ${words[0]}-${words.at(-1)}` : '';
    return `${low}-${high}${names}${marks ? `, ${marks.meaning}` : ''}`;
}

function numberOf(text: string, field: Field): number | undefined {
    if (/^\d+$/.test(text)) return Number(text);
    const index = field.words?.indexOf(text.toUpperCase()) ?? -1;
    return index === -1 ? undefined : index + field.low;
}
