/** Something about a schedule that works, but is probably not what its author meant or knows of. */
export interface Flaw {
    readonly rule: FlawRule;
    /** What happens, as the end of a sentence that begins with the schedule. */
    readonly message: string;
    /** What to do, in one line. */
    readonly cure: string;
}

/** Which rule has found a flaw. */
export type FlawRule =
    | 'every-minute'
    | 'every-day'
    | 'uneven-step'
    | 'short-month'
    | 'either-day'
    | 'clock-change';
