import { distance } from 'fastest-levenshtein';
import { BadScheduleError } from './bad_schedule_error.js';

const MOST_EDITS = 3;

/** Zones that are known to be good: the list first, because asking Intl for one takes a quarter of a millisecond. */
const known = new Set(['UTC', ...Intl.supportedValuesOf('timeZone')]);

/**
 * Checks the name of a time zone.
 *
 * @param timezone IANA name; old names (`US/Pacific`) and any case are accepted, as `Intl` does
 * @throws BadScheduleError whose message follows on the zone: `is not a time zone (did you mean "Europe/London"?)`
 */
export function checkTimezone(timezone: string): void {
    if (known.has(timezone)) return;
    // Newer Nodes read '+01:00' as a zone, older ones do not.
    if (/^[+-]/.test(timezone)) {
        throw new BadScheduleError(
            'is an offset, not a time zone: write an IANA name, such as "Europe/London"',
            'bad-timezone',
        );
    }
    try {
        new Intl.DateTimeFormat('en', { timeZone: timezone });
    } catch {
        throw new BadScheduleError(`is not a time zone${hint(timezone)}`, 'bad-timezone');
    }
    known.add(timezone);
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

function hint(word: string): string {
    const zone = nearestTimezone(word);
    return zone === undefined
        ? ': write an IANA name, such as "Europe/London"'
        : ` (did you mean "${zone}"?)`;
}

// People write "London" as often as they misspell "Europe/London", so the city alone counts too.
function nearestTimezone(word: string): string | undefined {
    const wanted = word.toLowerCase().replaceAll(' ', '_');
    const editsTo = (name: string) => distance(wanted, name.toLowerCase());
    const [nearest] = [...known]
        .map((zone) => ({
            zone,
            edits: Math.min(editsTo(zone), editsTo(zone.slice(zone.lastIndexOf('/') + 1))),
        }))
        .sort((a, b) => a.edits - b.edits);
    return nearest && nearest.edits <= Math.min(MOST_EDITS, word.length - 1) ? nearest.zone : undefined;
}

/** The IANA name of the zone of the process's clock. */
export function processTimezone(): string {
    return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
