/** The fields of a crontab, as texts. */
export interface CrontabFields {
    readonly second: string;
    readonly minute: string;
    readonly hour: string;
    readonly dayOfMonth: string;
    readonly month: string;
    readonly dayOfWeek: string;
}

/** The name of a field. */
export type FieldName = keyof CrontabFields;

/** The names of all fields, in their order. */
export const FIELD_NAMES: readonly FieldName[] = [
    'second',
    'minute',
    'hour',
    'dayOfMonth',
    'month',
    'dayOfWeek',
];

const NICKNAMES: Readonly<Record<string, string>> = {
    '@yearly': '0 0 1 1 *',
    '@annually': '0 0 1 1 *',
    '@monthly': '0 0 1 * *',
    '@weekly': '0 0 * * 0',
    '@daily': '0 0 * * *',
    '@midnight': '0 0 * * *',
    '@hourly': '0 * * * *',
};

/**
 * Takes a crontab apart.
 *
 * @param crontab five or six fields or a nickname, readable, with single spaces
 * @returns its fields; five of them have the second 0, and `?` is `*`
 */
export function fieldsOf(crontab: string): CrontabFields {
    const words = (NICKNAMES[crontab.toLowerCase()] ?? crontab).replaceAll('?', '*').split(' ');
    const texts = words.length === 5 ? ['0', ...words] : words;
    return Object.fromEntries(
        FIELD_NAMES.map((name, index) => [name, texts[index]]),
    ) as unknown as CrontabFields;
}

/**
 * Writes a crontab with other values in some of its fields.
 *
 * @param fields what stands in all of them
 * @param changes what stands in some instead
 * @returns six fields, or five where the second is 0
 */
export function crontabWith(fields: CrontabFields, changes: Partial<CrontabFields>): string {
    const changed = { ...fields, ...changes };
    return FIELD_NAMES.map((name) => changed[name])
        .join(' ')
        .replace(/^0 /, '');
}
