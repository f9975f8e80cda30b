import type { Step } from './rows.js';

/** How long a process may be silent before others may give it up, in milliseconds: twice that. */
const LEASE = 5_000;

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

/** What processes that are no more have enqueued is remembered under this name. */
export const GONE = 'gone';

/**
 * Shows that this process is alive: its counter goes up.
 *
 * @param enqueuedUntil up to which second it has enqueued; undefined: it does not schedule
 */
export function beat({ database, by, now }: Step, enqueuedUntil: number | undefined): void {
    database
        .statement(
            `INSERT INTO bot_processes (id, host, pid, place, release, started_at, beat, enqueued_until) VALUES (?, ?, ?, ?, ?, ?, 0, ?)
            ON CONFLICT DO UPDATE SET beat = beat + 1, enqueued_until = excluded.enqueued_until`,
        )
        .run([by.id, by.host, by.pid, by.place, by.release ?? null, Math.floor(now), enqueuedUntil ?? null]);
}

/** The counters of all other processes, those included that are only known by what they have left. */
export function beats({ database, by }: Step): Map<string, number> {
    const rows = database
        .statement(
            `SELECT id, beat FROM bot_processes WHERE id NOT IN ('${GONE}', ?1)
            UNION ALL
            SELECT DISTINCT process, -1 FROM bot_runs
                WHERE ended_at IS NULL AND (state = 'running' OR origin = 'waiter')
                AND process <> ?1 AND process NOT IN (SELECT id FROM bot_processes)`,
        )
        .all([by.id]);
    return new Map(rows.map((row) => [row['id'] as string, row['beat'] as number]));
}

/** Forgets a process that has ended or died, but not up to which second it has enqueued. */
export function forgetProcess({ database }: Pick<Step, 'database'>, id: string): void {
    database
        .statement(
            `INSERT INTO bot_processes (id, host, pid, place, started_at, beat, enqueued_until)
            SELECT '${GONE}', host, pid, place, started_at, 0, enqueued_until FROM bot_processes
                WHERE id = ? AND enqueued_until IS NOT NULL
            ON CONFLICT DO UPDATE SET enqueued_until = max(enqueued_until, excluded.enqueued_until)`,
        )
        .run([id]);
    database.statement('DELETE FROM bot_processes WHERE id = ?').run([id]);
}

/** The runs of this process that others ask to end, with the reason. */
export function askedToEnd({ database, by }: Step): { id: string; reason: string }[] {
    const sql = `SELECT id, abort AS reason FROM bot_runs INDEXED BY bot_aborts
        WHERE process = ? AND abort IS NOT NULL AND state = 'running'`;
    return database.statement(sql).all([by.id]) as { id: string; reason: string }[];
}
