import { nearest } from '../text/suggestion.js';
import { isTimezone, ZONES } from '../time/timezone.js';
import { BadScheduleError } from './bad_schedule_error.js';

/** For abbreviations that people often write for a zone, the place whose clocks they probably mean. */
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

/**
 * Checks the name of a time zone; old names (`US/Pacific`) and any case are accepted.
 *
 * @throws BadScheduleError whose message follows on the zone: `is not a time zone (did you mean "Europe/London"?)`
 */
export function checkTimezone(timezone: string): void {
    if (!isTimezone(timezone)) throw new BadScheduleError(fault(timezone), 'bad-timezone');
}

/** Reads the IANA name of a setting or the config; TypeError for anything but a text, else as `checkTimezone`. */
export function readTimezone(value: unknown): string {
    if (typeof value !== 'string')
        throw new TypeError(`is not a time zone: write its IANA name, like 'Europe/London'`);
    checkTimezone(value);
    return value;
}

function fault(word: string): string {
    if (/^[+-]/.test(word))
        return 'is an offset, not a time zone: write an IANA name, such as "Europe/London"';
    // People write "London" as often as they misspell "Europe/London", so the city alone counts, too.
    const zones = new Map(
        ZONES.flatMap((zone) =>
            [zone, zone.slice(zone.lastIndexOf('/') + 1)].map((name) => [name.toLowerCase(), zone]),
        ),
    );
    const name = word.toLowerCase().replaceAll(' ', '_');
    if (!zones.has(name) && /^(?:[a-z]{3}|[A-Z]{3,5})$/.test(word)) {
        const place = PLACES[word.toUpperCase()] ?? 'Europe/London';
        return `is an abbreviation, not a time zone: write the zone of a place, such as "${place}"`;
    }
    const meant = zones.get(nearest(name, zones.keys()) ?? '');
    return meant === undefined
        ? 'is not a time zone: write an IANA name, such as "Europe/London"'
        : `is not a time zone (did you mean "${meant}"?)`;
}
