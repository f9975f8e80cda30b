import { steadyOffset } from './steady_offset.js';
import { isTimezone } from './timezone.js';

/** The zone of the process's clock, by its IANA name. */
export interface ProcessTimezone {
    readonly name: string;
    /** Why another zone has to stand in for the process's own, in a clause; undefined: none does. */
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
 * Finds the zone of the process's clock: that of `TZ`, else the machine's. Where Node cannot read it, `Date` keeps some
 * offset all the same: a zone with that offset stands in then, or UTC.
 */
export function findProcessTimezone(): ProcessTimezone {
    const variable = process.env['TZ'];
    if (known === undefined || known.variable !== variable) known = { variable, zone: find(variable) };
    return known.zone;
}

function find(variable: string | undefined): ProcessTimezone {
    const wanted = variable?.replace(/^:?(?:posix\/)?/, '') ?? canonical(undefined);
    if (isTimezone(wanted) && isOfDate(wanted)) return { name: canonical(wanted), fault: undefined };
    const name = standIn();
    const shown = `TZ is ${JSON.stringify(variable)}, which is no zone`;
    const what = variable === undefined ? "this machine's zone has no name" : shown;
    return { name, fault: `${what} that Node can read, so ${name} stands in for it` };
}

function canonical(timezone: string | undefined): string {
    return String(new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions().timeZone);
}

/** Whether `Date` has this zone: the same offset in winter and in summer. */
function isOfDate(timezone: string): boolean {
    return [WINTER, SUMMER].every((second) => steadyOffset(timezone, second).offset === offsetOfDate(second));
}

function offsetOfDate(second: number): number {
    return -60 * new Date(second * 1000).getTimezoneOffset();
}

function standIn(): string {
    const hours = offsetOfDate(WINTER) / 3600;
    // Such a zone is called after how far it is behind UTC.
    const name = `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
    return hours !== 0 && isTimezone(name) ? name : 'UTC';
}
