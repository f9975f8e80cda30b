/** What one contender shows with one number of schedules. */
export interface Figures {
    /** Microseconds of the processor for each schedule. */
    readonly register?: number;
    /** Bytes of heap for each schedule. */
    readonly heap?: number;
    /** Milliseconds of the processor in a second with nothing due. */
    readonly quiet?: number;
    /** Milliseconds of the processor in the busiest second. */
    readonly busy?: number;
    /** How many schedules were due in it. */
    readonly due?: number;
    /** The same work done by the plainest means, for comparison. */
    readonly baseline?: {
        readonly register: number;
        readonly busy: number;
        readonly calendars: number;
        readonly busyCalendars: number;
    };
    /** Why there is no more. */
    readonly broke?: string;
}
