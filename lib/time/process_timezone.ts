import { steadyOffset } from './steady_offset.js';
import { isTimezone } from './timezone.js';

/** The zone of the process's clock. */
interface ProcessTimezone {
    /** IANA name. */
    readonly name: string;
    /** Why another zone is used in place of the process's own, as a clause; undefined: none is. */
    readonly fault: string | undefined;
}

/** What to do about a fault. */
export const PROCESS_TIMEZONE_CURE = 'set TZ to the name of a zone, such as Europe/London or UTC';

const [WINTER, SUMMER] = [Date.UTC(2026, 0, 1) / 1000, Date.UTC(2026, 6, 1) / 1000];

let known: { readonly variable: string | undefined; readonly zone: ProcessTimezone } | undefined;

/** The IANA name of the zone of the process's clock. */
export function processTimezone(): string {
    return findProcessTimezone().name;
}

/**
 * Finds the zone of the process's clock: that of `TZ`, else the machine's. If Node cannot read it, `Date` still uses some
 * offset: a zone with that offset is used instead, or UTC.
 */
export function findProcessTimezone(): ProcessTimezone {
    const variable = process.env['TZ'];
    if (known === undefined || known.variable !== variable) known = { variable, zone: find(variable) };
    return known.zone;
}

function find(variable: string | undefined): ProcessTimezone {
    const wanted = variable?.replace(/^:?(?:posix\/)?/, '') ?? canonical(undefined);
    // Node believes a TZ that it cannot read: `Date` then has another offset.
    const isUsed = (second: number) => steadyOffset(wanted, second).offset === offsetOfDate(second);
    if (isTimezone(wanted) && isUsed(WINTER) && isUsed(SUMMER))
        return { name: canonical(wanted), fault: undefined };
    const name = standIn();
    const shown = `TZ is ${JSON.stringify(variable)}, which is not a zone`;
    const what = variable === undefined ? "this machine's zone has no name" : shown;
    return { name, fault: `${what} that Node can read, so ${name} is used instead` };
}

function canonical(timezone: string | undefined): string {
    return String(new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions().timeZone);
}

function offsetOfDate(second: number): number {
    return -60 * new Date(second * 1000).getTimezoneOffset();
}

function standIn(): string {
    const hours = offsetOfDate(WINTER) / 3600;
    // Such a zone is named after how far it is behind UTC.
    const name = `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
    return hours !== 0 && isTimezone(name) ? name : 'UTC';
}
