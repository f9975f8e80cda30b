import type { EngineHost } from '../../runs/engine.js';
import { Leases } from '../leases.js';
import type { Owner } from '../owner.js';
import type { Database } from './database.js';
import type { Consequence } from './lanes.js';
import { beat, beats, forgetProcess } from './processes.js';
import { adopt, giveUpUnknown } from './queue.js';
import { forgetSome } from './retention.js';

/** How often a process shows that it is alive, and looks at the others, in milliseconds. */
const BEAT = 1_000;

/** How often what is too old is forgotten: each so many beats. */
const FORGET_EVERY = 3_600;

/** What the signs of life of a process go by. */
export interface LivenessParts {
    readonly host: EngineHost;
    readonly owner: Owner;
    /** Whether others may look at this process, or it at them. */
    isNeeded(): boolean;
    /** Up to which second this process has enqueued; undefined: it does not schedule. */
    enqueuedUntil(): number | undefined;
    /** Does something in a step of the engine. */
    write<T>(work: (database: Database, consequences: Consequence[]) => T): Promise<T>;
    /** Makes sure that the store is still the one at its place. */
    check(): void;
    /** A run of this process is to end. */
    abort(id: string, reason: string): void;
}

/** Shows each second that this process is alive, finds out which others are not, and sees to what they have left. */
export class Liveness {
    readonly #leases = new Leases();
    #cancel: (() => void) | undefined;
    #beats = 0;

    constructor(private readonly parts: LivenessParts) {}

    /** Beats from now on, for as long as there is a reason to. */
    start(): void {
        if (!this.parts.isNeeded()) return;
        this.#cancel ??= this.parts.host.clock.after(BEAT, () => {
            this.#cancel = undefined;
            this.start();
            void this.beat();
        });
    }

    /** Shows life, and takes a look. */
    async beat(): Promise<void> {
        const { host, owner, write, abort } = this.parts;
        const now = host.clock.now();
        this.parts.check();
        const isForgetting = this.#beats % FORGET_EVERY === 0;
        const found = await write((database, consequences) => {
            const knows = (job: string) => host.planOf(job) !== undefined;
            consequences.push(...giveUpUnknown(database, knows, owner, now));
            beat(database, owner, now, this.parts.enqueuedUntil());
            const others = beats(database);
            others.delete(owner.id);
            return {
                others,
                aborts: abortsOf(database, owner),
                isMore: isForgetting && this.#forget(database, now),
            };
        });
        this.#beats = found?.isMore ? 0 : this.#beats + 1;
        for (const { id, reason } of found?.aborts ?? []) abort(id, reason);
        const dead = this.#leases.look(found?.others ?? new Map(), now);
        for (const process of dead) await this.#adopt(process, found?.others.get(process) ?? 0);
    }

    /** Ends it: this process is no more. */
    async end(): Promise<void> {
        this.#cancel?.();
        this.#cancel = undefined;
        const { host, owner, write, enqueuedUntil } = this.parts;
        await write((database) => {
            beat(database, owner, host.clock.now(), enqueuedUntil());
            forgetProcess(database, owner.id);
        });
    }

    #forget(database: Database, now: number): boolean {
        const { retention, maxRunsPerJob } = this.parts.host.journal;
        return forgetSome(database, { age: retention, runs: maxRunsPerJob }, now);
    }

    async #adopt(process: string, lastBeat: number): Promise<void> {
        const { host, write } = this.parts;
        await write((database, consequences) => {
            // It may have come to life again since.
            if (beats(database).get(process) !== lastBeat) return;
            const retriesOf = (job: string) => host.planOf(job)?.settings.retries ?? 0;
            for (const { run, again } of adopt(database, process, retriesOf, host.clock.now()))
                if (!again) consequences.push({ kind: 'ended', run });
            forgetProcess(database, process);
        });
    }
}

function abortsOf(database: Database, { id }: Owner): { id: string; reason: string }[] {
    return database
        .statement(
            `SELECT id, abort FROM bot_runs INDEXED BY bot_aborts
            WHERE process = ? AND abort IS NOT NULL AND state = 'running'`,
        )
        .all([id])
        .map((row) => ({ id: row['id'] as string, reason: row['abort'] as string }));
}
