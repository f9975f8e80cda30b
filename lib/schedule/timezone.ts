import { distance } from 'fastest-levenshtein';
import { isTimezone, ZONES } from '../time/timezone.js';
import { BadScheduleError } from './bad_schedule_error.js';

const MOST_EDITS = 3;

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
 * Checks the name of a time zone.
 *
 * @param timezone IANA name; old names (`US/Pacific`) and any case are accepted
 * @throws BadScheduleError whose message follows on the zone: `is not a time zone (did you mean "Europe/London"?)`
 */
export function checkTimezone(timezone: string): void {
    if (!isTimezone(timezone)) throw new BadScheduleError(fault(timezone), 'bad-timezone');
}

/**
 * Reads the name of a time zone, as a setting or the config gives it.
 *
 * @param value what was given
 * @returns the IANA name
 * @throws TypeError for anything but a text; BadScheduleError as `checkTimezone` does
 */
export function readTimezone(value: unknown): string {
    if (typeof value !== 'string')
        throw new TypeError(`is not a time zone: write its IANA name, like 'Europe/London'`);
    checkTimezone(value);
    return value;
}

function fault(word: string): string {
    if (/^[+-]/.test(word))
        return 'is an offset, not a time zone: write an IANA name, such as "Europe/London"';
    const { zone, edits } = nearestZone(word);
    if (edits > 0 && isAbbreviation(word)) {
        const place = PLACES[word.toUpperCase()] ?? 'Europe/London';
        return `is an abbreviation, not a time zone: write the zone of a place, such as "${place}"`;
    }
    return edits <= Math.min(MOST_EDITS, word.length - 1)
        ? `is not a time zone (did you mean "${zone}"?)`
        : 'is not a time zone: write an IANA name, such as "Europe/London"';
}

function isAbbreviation(word: string): boolean {
    return /^(?:[a-z]{3}|[A-Z]{3,5})$/.test(word);
}

// People write "London" as often as they misspell "Europe/London", so the city alone counts too.
function nearestZone(word: string): { zone: string; edits: number } {
    const wanted = word.toLowerCase().replaceAll(' ', '_');
    const editsTo = (name: string) => distance(wanted, name.toLowerCase());
    return ZONES.map((zone) => ({
        zone,
        edits: Math.min(editsTo(zone), editsTo(zone.slice(zone.lastIndexOf('/') + 1))),
    })).reduce((nearest, other) => (other.edits < nearest.edits ? other : nearest));
}
