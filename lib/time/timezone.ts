/** The canonical name of each zone. */
export const ZONES: readonly string[] = ['UTC', ...Intl.supportedValuesOf('timeZone')];

/** The names of three letters in the tz database, which gets no more of them. */
const THREE_LETTERS = /^(?:CET|EET|EST|GMT|HST|MET|MST|PRC|ROC|ROK|UCT|UTC|WET)$/i;

/** What some versions of `Intl` take for a zone, and the tz database does not have: `BST`, `SystemV/PST8`, `+01:00`. */
const FOREIGN = /^(?:[a-z]{3}|SystemV\/.*|[+-].*)$/i;

/** Names that were found good, because asking `Intl` for one takes a quarter of a millisecond. */
const known = new Set(ZONES);

/** Tells whether a name is one of the tz database, in any case, its old names (`US/Pacific`, `EST5EDT`) included. */
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
