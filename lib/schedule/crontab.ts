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

/** A crontab taken apart: its time zone, where it names one in front, and the rest. */
export interface CrontabText {
    /** With single spaces, without the zone. */
    readonly crontab: string;
    readonly timezone: string | undefined;
}

/** What a crontab says. */
export interface Crontab extends Readonly<Record<FieldName, Field>> {
    /** How its two fields for days go together. `both` has to match where one is a star, or has a plus in front. */
    readonly days: 'both' | 'either';
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
 * Reads a crontab.
 *
 * @param crontab five or six fields or a nickname, with single spaces, without a zone
 * @throws BadScheduleError with the first reason against it
 */
export function readCrontab(crontab: string): Crontab {
    const [second, minute, hour, dayOfMonth, month, dayOfWeek] = fieldTexts(crontab);
    const fields = {
        second: readField('second', second),
        minute: readField('minute', minute),
        hour: readField('hour', hour),
        dayOfMonth: readField('dayOfMonth', dayOfMonth),
        month: readField('month', month),
        dayOfWeek: { ...readField('dayOfWeek', dayOfWeek.replace(/^\+(?=.)/, '')), text: dayOfWeek },
    };
    const hasStar = fields.dayOfMonth.text === '*' || fields.dayOfWeek.text === '*';
    return { ...fields, days: hasStar || dayOfWeek.startsWith('+') ? 'both' : 'either' };
}

/**
 * Writes a crontab in six fields of numbers, as croner is to get it: it takes `SUN-SUN` for the whole week, and `L,*` for
 * a star.
 *
 * @param crontab five or six fields or a nickname
 * @throws BadScheduleError with the first reason against it
 */
export function plainCrontab(crontab: string): string {
    const read = readCrontab(crontab);
    const [second, minute, hour, days, month, weekdays] = FIELD_NAMES.map((name) =>
        read[name].items.map(({ plain }) => plain).join(),
    );
    const isEither = read.days === 'either';
    const daysOfMonth = isEither && read.dayOfMonth.isFull ? '1-31' : days;
    return [second, minute, hour, daysOfMonth, month, isEither ? weekdays : `+${weekdays}`].join(' ');
}

/**
 * Writes a crontab with other texts in some of its fields.
 *
 * @param crontab what stands in all of them
 * @param changes what stands in some instead
 * @returns six fields, or five where the second is 0
 */
export function crontabWith(crontab: Crontab, changes: Partial<Record<FieldName, string>>): string {
    return FIELD_NAMES.map((name) => changes[name] ?? crontab[name].text)
        .join(' ')
        .replace(/^0 /, '');
}

type SixTexts = readonly [string, string, string, string, string, string];

function fieldTexts(crontab: string): SixTexts {
    if (crontab.startsWith('@')) return fieldTexts(nicknamed(crontab.toLowerCase()));
    if (crontab === '') throw new BadScheduleError(`it is empty: ${FIVE_FIELDS}`);
    const [inFront, zone = 'Europe/London'] = /^\w*tz ?= ?(\S+)?/i.exec(crontab) ?? [];
    if (inFront !== undefined)
        throw new BadScheduleError(
            `"${inFront}" names no time zone: write CRON_TZ=${zone} in front, in capitals and without spaces`,
        );
    if (crontab.includes(':')) {
        throw new BadScheduleError(
            `it looks like a date or a time, and a schedule repeats: '30 6 * * *' is 06:30 every day`,
        );
    }
    const texts = crontab.replaceAll('?', '*').split(' ');
    const { length } = texts;
    if (length < 5)
        throw new BadScheduleError(`it has ${length} field${length === 1 ? '' : 's'}: ${FIVE_FIELDS}`);
    if (length > 6) throw new BadScheduleError(`it has ${length} fields: ${NO_YEARS}`);
    const year = length === 6 && /\b[12]\d{3}\b/.exec(texts[5] ?? '')?.[0];
    if (year) throw new BadScheduleError(`its last field is a year (${year}): ${NO_YEARS}`);
    return (length === 5 ? ['0', ...texts] : texts) as unknown as SixTexts;
}

function nicknamed(nickname: string): string {
    if (nickname === '@reboot') {
        throw new BadScheduleError(
            '@reboot has no times to run at: do what has to be done at start where the server starts',
        );
    }
    const crontab = NICKNAMES[nickname];
    if (crontab === undefined)
        throw new BadScheduleError(`unknown nickname: there are ${Object.keys(NICKNAMES).join(', ')}`);
    return crontab;
}
