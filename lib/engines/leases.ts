/** How long a process may be silent before others may give it up, in milliseconds: twice that. */
export const LEASE = 5_000;

/** A pause between two looks that is longer than this, in milliseconds, says more about the observer than about others. */
const INTERRUPTION = 2_500;

interface Sighting {
    readonly beat: number;
    /** How long it has been unchanged, in milliseconds of uninterrupted looking. */
    readonly silence: number;
}

/**
 * Judges which processes are dead, by their beats alone. Only time in which the observer itself kept looking counts: after
 * a sleep of the machine everyone is silent, and nobody is dead.
 */
export class Leases {
    #sightings = new Map<string, Sighting>();
    #lastLook: number | undefined;

    /**
     * Takes a look.
     *
     * @param beats each process's counter
     * @param now a time in milliseconds
     * @returns the processes that have been silent for two leases
     */
    look(beats: ReadonlyMap<string, number>, now: number): string[] {
        const passed = this.#lastLook === undefined ? Infinity : now - this.#lastLook;
        this.#lastLook = now;
        const isInterrupted = passed < 0 || passed > INTERRUPTION;
        const sightings = new Map<string, Sighting>();
        for (const [process, beat] of beats) {
            const before = this.#sightings.get(process);
            const isSilent = before?.beat === beat && !isInterrupted;
            sightings.set(process, { beat, silence: isSilent ? before.silence + passed : 0 });
        }
        this.#sightings = sightings;
        return [...sightings].filter(([, { silence }]) => silence >= 2 * LEASE).map(([process]) => process);
    }
}
