import { isAbsolute, join, relative } from 'node:path';
import { Project } from '../../framework.js';
import {
    ALL_JOBS,
    type ClaimAnswer,
    type Engine,
    type EngineHost,
    type HistoryHost,
    JournalLockedError,
    type UnrunOfSchedule,
} from '../../runs/engine.js';
import type { History } from '../../runs/history.js';
import { laneOf, type Run } from '../../runs/run.js';
import type { Schedule } from '../../schedule/schedule.js';
import { tellLost } from '../liveness.js';
import { createOwner } from '../owner.js';
import { skipOf, skipsOf } from '../records.js';
import type { Database } from './database.js';
import { JournalHistory } from './history.js';
import { Journal, orElse } from './journal.js';
import { JournalLiveness } from './liveness.js';
import { pause, pausedJobs, resume } from './pauses.js';
import { beat, forgetProcess } from './processes.js';
import { claimRun, giveUpGoneRuns, recordAttempt, recordEndedRun, recordOutcome } from './runs.js';
import { handledUntil, latestHandled, recordHandled, voidAfter } from './schedules.js';
import { recordSkips } from './skips.js';

/** In memory nobody beats: what is too old is forgotten each so many claims. */
const FORGET_EVERY = 500;

/** What is there while the engine is open. */
interface Opened {
    readonly host: EngineHost;
    readonly journal: Journal;
    readonly liveness: JournalLiveness;
}

/** The engine in the server's own process, with a journal in SQLite. */
export class EmbeddedEngine implements Engine {
    readonly #owner = createOwner();
    /** The rows of this process's unfinished runs, by run id. */
    readonly #rows = new Map<string, { seq: number; generation: number }>();
    #opened: Opened | undefined;
    #opening: Promise<void> | undefined;
    #description = 'embedded';
    #paused: ReadonlySet<string> = new Set();
    #isClosing = false;
    #claims = 0;

    get description(): string {
        return this.#opened?.journal.isInMemory ? 'embedded, in memory' : this.#description;
    }

    open(host: EngineHost): Promise<void> {
        this.#isClosing = false;
        this.#opening ??= this.#openJournal(host).catch((error) => {
            this.#opening = undefined;
            throw error;
        });
        return this.#opening;
    }

    start(): void {
        this.#opened?.liveness.watch();
    }

    stop(): void {
        this.#opened?.liveness.unwatch();
    }

    async history(host: HistoryHost): Promise<History> {
        const journal = this.#opened?.journal;
        if (journal) return new JournalHistory(!journal.isInMemory, (work) => journal.write(work));
        const { path } = await placeOf(host);
        return path === undefined ? new JournalHistory(false, undefined) : JournalHistory.open(path);
    }

    async close(): Promise<void> {
        this.stop();
        this.#isClosing = true;
        await this.#releaseIfIdle();
    }

    async claim(run: Run, isExclusive: boolean): Promise<ClaimAnswer> {
        if (!this.#opened) return 'no journal';
        const { journal, host } = this.#opened;
        const at = host.clock.now();
        try {
            const { lost, claim, generation } = await journal.write((database) => ({
                lost: run.manual && isExclusive ? giveUpGoneRuns(database, laneOf(run), at) : [],
                claim: claimRun(database, run, this.#owner, { at, isExclusive }),
                generation: journal.generation,
            }));
            for (const gone of lost) tellLost(gone, at, host);
            if (claim.answer === 'granted') this.#hold(run, claim.seq, generation);
            return claim.answer;
        } catch (error) {
            if (error instanceof JournalLockedError) return 'journal locked';
            return orElse('no journal' as const)(error);
        }
    }

    retrying(run: Run): false {
        const row = this.#rowOf(run);
        const { attempt } = run;
        if (row !== undefined)
            void this.#record((database) => recordAttempt(database, row, attempt), undefined);
        return false;
    }

    async finished(run: Run): Promise<void> {
        const ended = { ...run };
        const row = this.#rowOf(run);
        const isInTime = await this.#record((database) => {
            if (row !== undefined) return recordOutcome(database, row, ended);
            recordEndedRun(database, ended, this.#owner);
            return true;
        }, true);
        this.#rows.delete(run.id);
        if (!isInTime) this.#opened?.host.emit({ type: 'run-was-lost', run });
        if (this.#isClosing) await this.#releaseIfIdle();
    }

    skipped(run: Run): void {
        if (this.#rows.has(run.id)) return void this.finished(run);
        const skip = skipOf(run);
        if (skip) void this.#record((database) => recordSkips(database, skip, this.#owner), undefined);
    }

    unrun(slots: readonly UnrunOfSchedule[]): Promise<void> {
        return this.#record((database) => {
            for (const found of slots) recordSkips(database, skipsOf(found), this.#owner);
        }, undefined);
    }

    handledUntil(schedules: readonly Schedule[], now: number): Promise<ReadonlyMap<string, number>> {
        const none: ReadonlyMap<string, number> = new Map();
        return this.#record((database) => handledUntil(database, schedules, now), none);
    }

    latestHandled(): Promise<number | undefined> {
        return this.#record<number | undefined>(latestHandled, undefined);
    }

    handled(schedule: Schedule, second: number): void {
        void this.#record((database) => recordHandled(database, schedule, second), undefined);
    }

    voidClaimsAfter(second: number): Promise<void> {
        return this.#record((database) => voidAfter(database, second), undefined);
    }

    isPaused(job: string): boolean {
        return this.#paused.has(job) || this.#paused.has(ALL_JOBS);
    }

    async pausedJobs(): Promise<readonly string[]> {
        await this.#changePauses(() => {}).catch(orElse(undefined));
        return [...this.#paused];
    }

    pause(job: string): Promise<void> {
        return this.#changePauses((database) => pause(database, job, this.#second()));
    }

    resume(job: string): Promise<void> {
        return this.#changePauses((database) => resume(database, job, this.#second()));
    }

    #second(): number {
        return Math.floor((this.#opened?.host.clock.now() ?? 0) / 1000);
    }

    async #openJournal(host: EngineHost): Promise<void> {
        const { root = process.cwd(), path } = await placeOf(host);
        const shown = path && (relative(root, path).startsWith('..') ? path : relative(root, path));
        // Several machines, or release folders, with a file each do not share it: whoever reads the log shall know.
        this.#description = `embedded, journal ${shown} of this machine`;
        const journal = await Journal.open({
            path,
            required: host.journal.required,
            lockTimeout: host.lockTimeout,
            trouble: (trouble, detail) =>
                host.emit({ type: 'journal-trouble', trouble, detail, path: shown ?? '' }),
            restore: (database) => {
                for (const job of this.#paused) pause(database, job, this.#second());
                if (path !== undefined) beat(database, this.#owner, host.clock.now());
            },
        });
        const liveness = new JournalLiveness(
            host,
            this.#owner,
            journal,
            () => this.#rows.size > 0,
            (run, row = 0) => {
                this.#hold(run, row, journal.generation);
                void host.execute(run);
            },
            (paused) => {
                this.#paused = paused;
            },
        );
        this.#opened = { host, journal, liveness };
        if (!journal.isInMemory) await liveness.begin();
    }

    async #record<T>(work: (database: Database) => T, otherwise: T): Promise<T> {
        return this.#opened ? this.#opened.journal.record(work, otherwise) : otherwise;
    }

    // A pause that nobody remembers is none: who asks for it has to know.
    async #changePauses(work: (database: Database) => void): Promise<void> {
        if (!this.#opened) return;
        this.#paused = await this.#opened.journal.write((database) => {
            work(database);
            return pausedJobs(database);
        });
    }

    #hold(run: Run, seq: number, generation: number): void {
        if (!this.#opened) return;
        const { journal, liveness } = this.#opened;
        this.#rows.set(run.id, { seq, generation });
        liveness.keepBeating();
        if (journal.isInMemory && ++this.#claims % FORGET_EVERY === 0) void liveness.forget();
    }

    #rowOf({ id }: Run): number | undefined {
        const row = this.#rows.get(id);
        return row?.generation === this.#opened?.journal.generation ? row?.seq : undefined;
    }

    async #releaseIfIdle(): Promise<void> {
        // What was remembered in memory lasts as long as the process.
        if (this.#rows.size > 0 || !this.#opened || this.#opened.journal.isInMemory) return;
        const { journal, liveness } = this.#opened;
        await this.#record((database) => forgetProcess(database, this.#owner.id), undefined);
        // It may have been opened again, or closed by another, while the file was locked.
        if (!this.#isClosing || this.#opened?.journal !== journal) return;
        liveness.end();
        this.#opened = undefined;
        this.#opening = undefined;
        await journal.close();
    }
}

async function placeOf({ journal, environment }: HistoryHost): Promise<{ root?: string; path?: string }> {
    const { filename } = journal;
    if (filename === false || (filename === undefined && environment === 'test')) return {};
    const { rootPath: root = process.cwd() } = await Project.instance;
    const wanted = filename ?? `bot_${environment}.db`;
    return { root, path: isAbsolute(wanted) ? wanted : join(root, wanted) };
}
