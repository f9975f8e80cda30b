import { count } from '../text/format.js';
import { BadScheduleError } from './bad_schedule_error.js';
import { FIELD_NAMES, type Field, type FieldName, readField } from './crontab_field.js';

const NICKNAMES: Readonly<Record<string, string>> = {
    '@yearly': '0 0 1 1 *',
    '@annually': '0 0 1 1 *',
    '@monthly': '0 0 1 * *',
    '@weekly': '0 0 * * 0',
    '@daily': '0 0 * * *',
    '@midnight': '0 0 * * *',
    '@hourly': '0 * * * *',
};

const FIVE_FIELDS = `a crontab has five fields, minute hour day-of-month month day-of-week: '30 6 * * 1-5' is 06:30 from Monday to Friday`;

const NO_YEARS = `${FIVE_FIELDS}; a sixth in front is for seconds, and there is none for years`;

export interface Crontab extends Readonly<Record<FieldName, Field>> {
    /** Whether both fields for days have to match: so if one is a star, or the second has a plus in front. */
    readonly days: 'both' | 'either';
}

/** Splits `CRON_TZ=Europe/London 0 2 * * *` (some crons write `TZ=`) into its zone and the crontab, with single spaces. */
export function splitTimezone(text: string): { crontab: string; timezone: string | undefined } {
    const crontab = text.trim().replace(/\s+/g, ' ');
    const [prefix, timezone] = /^(?:CRON_)?TZ=(\S*) ?/.exec(crontab) ?? [''];
    return { crontab: crontab.slice(prefix.length), timezone };
}

/**
 * Parses a crontab.
 *
 * @param crontab five or six fields or a nickname, with single spaces, without a zone
 * @throws BadScheduleError with the first thing that is wrong
 */
export function readCrontab(crontab: string): Crontab {
    const texts = fieldTexts(crontab);
    const entries = FIELD_NAMES.map((name, index) => [name, readField(name, texts[index] ?? '')]);
    const fields: Record<FieldName, Field> = Object.fromEntries(entries);
    const { dayOfMonth, dayOfWeek } = fields;
    const isBoth = dayOfMonth.text === '*' || /^(\*$|\+)/.test(dayOfWeek.text);
    return { ...fields, days: isBoth ? 'both' : 'either' };
}

/** Writes a crontab in numbers for croner, which takes `SUN-SUN` for the whole week, and `L,*` for a star. */
export function plainCrontab(crontab: string): string {
    const read = readCrontab(crontab);
    const [second, minute, hour, days, month, weekdays] = FIELD_NAMES.map((name) =>
        read[name].items.map(({ plain }) => plain).join(),
    );
    const isEither = read.days === 'either';
    const daysOfMonth = isEither && read.dayOfMonth.isFull ? '1-31' : days;
    return [second, minute, hour, daysOfMonth, month, isEither ? weekdays : `+${weekdays}`].join(' ');
}

/** Writes a crontab with some fields replaced: in six fields, or five if the second is 0. */
export function crontabWith(crontab: Crontab, changes: Partial<Record<FieldName, string>>): string {
    return FIELD_NAMES.map((name) => changes[name] ?? crontab[name].text)
        .join(' ')
        .replace(/^0 /, '');
}

function fieldTexts(crontab: string): string[] {
    if (crontab.startsWith('@')) return fieldTexts(nicknamed(crontab.toLowerCase()));
    if (crontab === '') throw new BadScheduleError(`it is empty: ${FIVE_FIELDS}`);
    const [inFront, zone = 'Europe/London'] = /^\w*tz ?= ?(\S+)?/i.exec(crontab) ?? [];
    if (inFront !== undefined)
        throw new BadScheduleError(
            `"${inFront}" does not set a time zone: write CRON_TZ=${zone} in front, in capitals and without spaces`,
        );
    if (crontab.includes(':'))
        throw new BadScheduleError(
            `it looks like a date or a time, and a schedule repeats: '30 6 * * *' is 06:30 every day`,
        );
    const texts = crontab.replaceAll('?', '*').split(' ');
    if (texts.length < 5)
        throw new BadScheduleError(`it has ${count(texts.length, 'field')}: ${FIVE_FIELDS}`);
    if (texts.length > 6) throw new BadScheduleError(`it has ${texts.length} fields: ${NO_YEARS}`);
    const year = /\b[12]\d{3}\b/.exec(texts[5] ?? '');
    if (year) throw new BadScheduleError(`its last field is a year (${year}): ${NO_YEARS}`);
    return texts.length === 5 ? ['0', ...texts] : texts;
}

function nicknamed(nickname: string): string {
    const crontab = NICKNAMES[nickname];
    if (crontab !== undefined) return crontab;
    throw new BadScheduleError(
        nickname === '@reboot'
            ? '@reboot is not a time: do what it is for in the code that starts the server'
            : `unknown nickname: there are ${Object.keys(NICKNAMES).join(', ')}`,
    );
}
