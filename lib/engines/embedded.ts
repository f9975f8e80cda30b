import { isAbsolute, join, relative } from 'node:path';
import { Project } from '../host.js';
import type { Database } from '../journal/database.js';
import { Leases } from '../journal/leases.js';
import { createOwner } from '../journal/owner.js';
import { pause, pausedJobs, resume } from '../journal/pauses.js';
import { beat, beats, forgetProcess } from '../journal/processes.js';
import { forgetSome } from '../journal/retention.js';
import {
    type Claim,
    claimRun,
    giveUpRun,
    recordAttempt,
    recordEndedRun,
    recordOutcome,
    unfinishedRunsOf,
} from '../journal/runs.js';
import { latestSettled, settle, settledUntil, voidAfter } from '../journal/schedules.js';
import { recordSkips } from '../journal/skips.js';
import { Journal, JournalUnavailableError } from '../journal.js';
import type { Run } from '../run.js';
import type { Schedule } from '../schedule.js';
import { ALL_JOBS, type ClaimAnswer, type Engine, type EngineHost, type UnrunOfSchedule } from './engine.js';

/** How often a process shows that it is alive, and looks at the others, in milliseconds. */
const BEAT = 1_000;

/** How often what is too old is forgotten: each so many beats, or in memory each so many claims. */
const FORGET_EVERY = { beats: 3_600, claims: 500 };

/** Skips that say nothing about the slot: it is claimed, or stays for whoever comes next. */
const UNRECORDED_SKIPS = ['claimed elsewhere', 'stopping', 'no journal'];

/** The engine in the server's own process, with a journal in SQLite. */
export class EmbeddedEngine implements Engine {
    readonly #owner = createOwner();
    readonly #leases = new Leases();
    /** The rows of this process's unfinished runs, by run id. */
    readonly #rows = new Map<string, { seq: number; generation: number }>();
    #host: EngineHost | undefined;
    #journal: Journal | undefined;
    #opening: Promise<void> | undefined;
    #description = 'embedded';
    #paused: ReadonlySet<string> = new Set();
    #isWatching = false;
    #isClosing = false;
    #cancelBeat: (() => void) | undefined;
    #beats = 0;
    #claims = 0;

    get description(): string {
        return this.#journal?.isInMemory ? 'embedded, in memory' : this.#description;
    }

    open(host: EngineHost): Promise<void> {
        this.#isClosing = false;
        this.#opening ??= this.#openJournal(host).catch((error) => {
            this.#opening = undefined;
            throw error;
        });
        return this.#opening;
    }

    watch(): void {
        this.#isWatching = true;
        this.#keepBeating();
    }

    async close(): Promise<void> {
        this.#isWatching = false;
        this.#isClosing = true;
        await this.#releaseIfIdle();
    }

    claim(run: Run, isExclusive: boolean): ClaimAnswer | Promise<ClaimAnswer> {
        const at = this.#clock.now();
        const claim = this.#write<Claim>(
            (database) => claimRun(database, run, this.#owner, { at, isExclusive }),
            { answer: 'no journal' },
        );
        return andThen(claim, (answered) => {
            if (answered.answer === 'granted') this.#hold(run.id, answered.seq);
            if (this.#journal?.isInMemory && ++this.#claims % FORGET_EVERY.claims === 0) this.#forget();
            return answered.answer;
        });
    }

    retrying(run: Run): void {
        const row = this.#rowOf(run);
        if (row !== undefined)
            this.#write((database) => recordAttempt(database, row, run.attempt), undefined);
    }

    finished(run: Run): void | Promise<void> {
        const ended = { ...run };
        const row = this.#rowOf(run);
        const written = this.#write((database) => {
            if (row === undefined) recordEndedRun(database, ended, this.#owner);
            return row === undefined || recordOutcome(database, row, ended);
        }, true);
        return andThen(written, (isInTime) => {
            this.#rows.delete(run.id);
            if (!isInTime) this.#host?.emit({ type: 'run-was-lost', run });
            return this.#releaseIfIdle();
        });
    }

    skipped(run: Run): void {
        if (this.#rows.has(run.id)) return void this.finished(run);
        const { job, schedule, args, tenant, reason = '', scheduledAt, manual } = run;
        if (manual || scheduledAt === undefined || UNRECORDED_SKIPS.includes(reason)) return;
        const slots = { first: scheduledAt, last: scheduledAt, count: 1, atLeast: false };
        this.#write(
            (database) =>
                recordSkips(database, { job, schedule, args, tenant, reason, ...slots }, this.#owner),
            undefined,
        );
    }

    unrun(slots: readonly UnrunOfSchedule[]): void | Promise<void> {
        return this.#write((database) => {
            for (const { schedule, ...found } of slots) {
                recordSkips(
                    database,
                    {
                        ...found,
                        job: schedule.job,
                        schedule: schedule.text,
                        args: schedule.args,
                        tenant: undefined,
                    },
                    this.#owner,
                );
            }
        }, undefined);
    }

    settledUntil(
        schedules: readonly Schedule[],
        now: number,
    ): ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>> {
        return this.#write<ReadonlyMap<string, number>>(
            (database) => settledUntil(database, schedules, now),
            new Map(),
        );
    }

    latestSettled(): number | undefined | Promise<number | undefined> {
        return this.#write<number | undefined>(latestSettled, undefined);
    }

    settle(schedule: Schedule, second: number): void {
        this.#write((database) => settle(database, schedule, second), undefined);
    }

    voidClaimsAfter(second: number): void | Promise<void> {
        return this.#write((database) => voidAfter(database, second), undefined);
    }

    isPaused(job: string): boolean {
        return this.#paused.has(job) || this.#paused.has(ALL_JOBS);
    }

    pausedJobs(): readonly string[] | Promise<readonly string[]> {
        return andThen(this.#refreshPauses(), () => [...this.#paused]);
    }

    pause(job: string): void | Promise<void> {
        const now = this.#second();
        return andThen(
            this.#write((database) => pause(database, job, now), undefined),
            () => this.#refreshPauses(),
        );
    }

    resume(job: string): void | Promise<void> {
        const now = this.#second();
        return andThen(
            this.#write((database) => resume(database, job, now), undefined),
            () => this.#refreshPauses(),
        );
    }

    get #clock() {
        return (this.#host as EngineHost).clock;
    }

    #second(): number {
        return Math.floor(this.#clock.now() / 1000);
    }

    async #openJournal(host: EngineHost): Promise<void> {
        this.#host = host;
        const root = (await Project.instance).rootPath ?? process.cwd();
        const path = pathOf(host, root);
        const shown = path && (relative(root, path).startsWith('..') ? path : relative(root, path));
        // Several machines, or release folders, with a file each do not share it: whoever reads the log shall know.
        this.#description = `embedded, journal ${shown} of this machine`;
        this.#journal = await Journal.open({
            path,
            required: host.journal.required,
            trouble: (trouble, detail) =>
                host.emit({ type: 'journal-trouble', trouble, detail, path: shown ?? '' }),
            restore: (database) => {
                for (const job of this.#paused) pause(database, job, this.#second());
                if (!this.#journal?.isInMemory) beat(database, this.#owner, this.#clock.now());
            },
        });
        await this.#refreshPauses();
        if (!this.#journal.isInMemory) await this.#beat();
    }

    #write<T>(work: (database: Database) => T, otherwise: T): T | Promise<T> {
        const unlessUnavailable = (error: unknown): T => {
            if (error instanceof JournalUnavailableError) return otherwise;
            throw error;
        };
        if (!this.#journal) return otherwise;
        try {
            const written = this.#journal.write(work);
            return written instanceof Promise ? written.catch(unlessUnavailable) : written;
        } catch (error) {
            return unlessUnavailable(error);
        }
    }

    #hold(runId: string, seq: number): void {
        this.#rows.set(runId, { seq, generation: this.#journal?.generation ?? 0 });
        this.#keepBeating();
    }

    #rowOf({ id }: Run): number | undefined {
        const row = this.#rows.get(id);
        return row?.generation === this.#journal?.generation ? row?.seq : undefined;
    }

    async #releaseIfIdle(): Promise<void> {
        if (!this.#isClosing || this.#rows.size > 0 || !this.#journal) return;
        const journal = this.#journal;
        if (!journal.isInMemory)
            await this.#write((database) => forgetProcess(database, this.#owner.id), undefined);
        if (!this.#isClosing) return;
        this.#cancelBeat?.();
        this.#cancelBeat = undefined;
        // What was remembered in memory lasts as long as the process.
        if (journal.isInMemory) return;
        this.#journal = undefined;
        this.#opening = undefined;
        await journal.close();
    }

    /** Beats while the bot is started or a run is going: other processes would take a silent one for dead. */
    #keepBeating(): void {
        if (this.#cancelBeat || this.#journal?.isInMemory) return;
        const next = () => {
            this.#cancelBeat = undefined;
            if (!this.#isWatching && this.#rows.size === 0) return;
            this.#keepBeating();
            void this.#beat();
        };
        this.#cancelBeat = this.#clock.after(BEAT, next);
    }

    #beat(): void | Promise<void> {
        const now = this.#clock.now();
        const others = this.#write((database) => {
            beat(database, this.#owner, now);
            this.#paused = pausedJobs(database);
            return beats(database);
        }, new Map<string, number>());
        return andThen(others, (found) => {
            found.delete(this.#owner.id);
            const dead = this.#leases.look(found, now);
            if (!this.#isWatching) return;
            if (this.#beats++ % FORGET_EVERY.beats === 0) this.#forget();
            for (const process of dead) this.#bury(process, found.get(process) ?? -1);
        });
    }

    #forget(): void {
        const { retention, maxRunsPerJob } = (this.#host as EngineHost).journal;
        const rules = { age: retention, runs: maxRunsPerJob };
        const isMore = this.#write((database) => forgetSome(database, rules, this.#clock.now()), false);
        // Some more at the next beat.
        void andThen(isMore, (more) => {
            if (more) this.#beats = 0;
        });
    }

    #bury(process: string, lastBeat: number): void {
        const host = this.#host as EngineHost;
        const at = host.clock.now();
        const buried = this.#write(
            (database) => {
                if ((beats(database).get(process) ?? -1) !== lastBeat) return [];
                const found = unfinishedRunsOf(database, process).map((lost) => {
                    const next = host.retryOf(lost.run);
                    const again = next && { run: next, by: this.#owner };
                    return { lost: lost.run, next, ...giveUpRun(database, lost, at, again) };
                });
                forgetProcess(database, process);
                return found.filter(({ isLost }) => isLost);
            },
            [] as { lost: Run; next: Run | undefined; isLost: boolean; seq?: number }[],
        );
        void andThen(buried, (found) => {
            for (const { lost, next, seq } of found) {
                Object.assign(lost, { outcome: 'lost', reason: 'its process died', endedAt: at });
                host.emit({ type: 'run-ended', run: lost });
                if (!next || seq === undefined) continue;
                this.#hold(next.id, seq);
                host.takeOver(next);
            }
        });
    }

    #refreshPauses(): void | Promise<void> {
        const found = this.#write<ReadonlySet<string>>(pausedJobs, this.#paused);
        return andThen(found, (paused) => {
            this.#paused = paused;
        });
    }
}

function pathOf({ journal, environment }: EngineHost, root: string): string | undefined {
    const { filename } = journal;
    if (filename === false || (filename === undefined && environment === 'test')) return undefined;
    const wanted = filename ?? `bot_${environment}.db`;
    return isAbsolute(wanted) ? wanted : join(root, wanted);
}

// What is known at once goes on at once: a second with a thousand claims need not wait for a thousand promises.
function andThen<T, U>(value: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
    return value instanceof Promise ? value.then(next) : next(value);
}
