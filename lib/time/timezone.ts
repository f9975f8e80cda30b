import { nearest } from '../text/suggestion.js';

/** The canonical name of each zone. */
export const ZONES: readonly string[] = ['UTC', ...Intl.supportedValuesOf('timeZone')];

/** The names of three letters in the tz database, which gets no more of them. */
const THREE_LETTERS = /^(?:CET|EET|EST|GMT|HST|MET|MST|PRC|ROC|ROK|UCT|UTC|WET)$/i;

/** What some versions of `Intl` accept although the tz database does not have it: `BST`, `SystemV/PST8`, `+01:00`. */
const FOREIGN = /^(?:[a-z]{3}|SystemV\/.*|[+-].*)$/i;

/** Names known to be valid, because asking `Intl` about one takes a quarter of a millisecond. */
const known = new Set(ZONES);

/** Whether the tz database has a name, in any case; it still has old names (`US/Pacific`, `EST5EDT`). */
export function isTimezone(name: string): boolean {
    if (known.has(name)) return true;
    if (FOREIGN.test(name) && !THREE_LETTERS.test(name)) return false;
    try {
        new Intl.DateTimeFormat('en', { timeZone: name });
    } catch {
        return false;
    }
    known.add(name);
    return true;
}

/** Abbreviations that people often write, with a zone that they probably mean. */
const PLACES: Readonly<Record<string, string>> = {
    AEDT: 'Australia/Sydney',
    AEST: 'Australia/Sydney',
    BST: 'Europe/London',
    CDT: 'America/Chicago',
    CEST: 'Europe/Berlin',
    CST: 'America/Chicago',
    EDT: 'America/New_York',
    EEST: 'Europe/Athens',
    IST: 'Asia/Kolkata',
    JST: 'Asia/Tokyo',
    MDT: 'America/Denver',
    PDT: 'America/Los_Angeles',
    PST: 'America/Los_Angeles',
    WEST: 'Europe/Lisbon',
};

/** Reads the IANA name of a setting or the config; a TypeError's message follows on the value. */
export function readTimezone(value: unknown): string {
    if (typeof value !== 'string')
        throw new TypeError(`is not a time zone: write its IANA name, like 'Europe/London'`);
    const fault = timezoneFault(value);
    if (fault !== undefined) throw new TypeError(fault);
    return value;
}

/**
 * Says what is wrong with the name of a time zone; undefined: nothing. Old names (`US/Pacific`) and any case are accepted.
 *
 * @returns what follows on the name: `is not a time zone (did you mean "Europe/London"?)`
 */
export function timezoneFault(name: string | undefined): string | undefined {
    if (name === undefined || isTimezone(name)) return undefined;
    if (/^[+-]/.test(name))
        return 'is an offset, not a time zone: write an IANA name, such as "Europe/London"';
    // People write "London" as often as they misspell "Europe/London", so the city alone counts as well.
    const zones = new Map(
        ZONES.flatMap((zone) =>
            [zone, zone.slice(zone.lastIndexOf('/') + 1)].map((place) => [place.toLowerCase(), zone]),
        ),
    );
    const lower = name.toLowerCase().replaceAll(' ', '_');
    if (!zones.has(lower) && /^(?:[a-z]{3}|[A-Z]{3,5})$/.test(name)) {
        const place = PLACES[name.toUpperCase()] ?? 'Europe/London';
        return `is an abbreviation, not a time zone: write the zone of a place, such as "${place}"`;
    }
    const meant = zones.get(nearest(lower, zones.keys()) ?? '');
    return meant === undefined
        ? 'is not a time zone: write an IANA name, such as "Europe/London"'
        : `is not a time zone (did you mean "${meant}"?)`;
}
