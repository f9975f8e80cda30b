import { isAbsolute, join, relative } from 'node:path';
import { Project } from '../../framework.js';
import {
    ALL_JOBS,
    type ClaimAnswer,
    type Engine,
    type EngineHost,
    type HistoryHost,
    type UnrunOfSchedule,
} from '../../runs/engine.js';
import type { History } from '../../runs/history.js';
import { laneOf, type Run } from '../../runs/run.js';
import type { Schedule } from '../../schedule/schedule.js';
import { andThen } from '../../time/at_once.js';
import { JournalLockedError, type Patience } from '../../time/patience.js';
import { createOwner } from '../owner.js';
import type { Database } from './database.js';
import { JournalHistory } from './history.js';
import { Journal } from './journal.js';
import { pause, pausedJobs, resume } from './pauses.js';
import { beat, forgetProcess } from './processes.js';
import {
    type Claim,
    claimRun,
    giveUpGoneRuns,
    PROCESS_DIED,
    recordAttempt,
    recordEndedRun,
    recordOutcome,
} from './runs.js';
import { latestSettled, settle, settledUntil, voidAfter } from './schedules.js';
import { recordSkips } from './skips.js';
import { Vigil } from './vigil.js';

/** In memory nobody beats: what is too old is forgotten each so many claims. */
const FORGET_EVERY = 500;

/** Skips that say nothing about the slot: it is claimed, or stays for whoever comes next. */
const UNRECORDED_SKIPS = ['claimed elsewhere', 'stopping', 'no journal'];

/** What is there while the engine is open. */
interface Opened {
    readonly host: EngineHost;
    readonly journal: Journal;
    readonly vigil: Vigil;
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

    open(host: EngineHost): void | Promise<void> {
        this.#isClosing = false;
        if (this.#opened) return;
        this.#opening ??= this.#openJournal(host).catch((error) => {
            this.#opening = undefined;
            throw error;
        });
        return this.#opening;
    }

    watch(): void {
        this.#opened?.vigil.heart.watch();
    }

    rest(): void {
        this.#opened?.vigil.heart.rest();
    }

    async history(host: HistoryHost): Promise<History> {
        const journal = this.#opened?.journal;
        if (journal) return new JournalHistory(!journal.isInMemory, (work) => journal.write(work));
        const { path } = await placeOf(host);
        return path === undefined ? new JournalHistory(false, undefined) : JournalHistory.open(path);
    }

    async close(): Promise<void> {
        this.rest();
        this.#isClosing = true;
        await this.#releaseIfIdle();
    }

    claim(run: Run, isExclusive: boolean): ClaimAnswer | Promise<ClaimAnswer> {
        const at = this.#now();
        const attempt = this.#write<{ claim: Claim; lost: Run[] }>(
            (database) => ({
                lost: run.manual && isExclusive ? giveUpGoneRuns(database, laneOf(run), at) : [],
                claim: claimRun(database, run, this.#owner, { at, isExclusive }),
            }),
            { claim: { answer: 'no journal' }, lost: [] },
            this.#opened?.host.patience,
        );
        const answered = andThen(attempt, ({ claim, lost }) => {
            for (const gone of lost) this.#tellLost(gone, at);
            if (claim.answer === 'granted') this.#hold(run, claim.seq);
            return claim.answer;
        });
        return answered instanceof Promise ? answered.catch(lockedOr) : answered;
    }

    retrying(run: Run): false {
        const row = this.#rowOf(run);
        const { attempt } = run;
        if (row !== undefined) this.#write((database) => recordAttempt(database, row, attempt), undefined);
        return false;
    }

    finished(run: Run): void | Promise<void> {
        const ended = { ...run };
        const row = this.#rowOf(run);
        const written = this.#write((database) => {
            if (row !== undefined) return recordOutcome(database, row, ended);
            recordEndedRun(database, ended, this.#owner);
            return true;
        }, true);
        return andThen(written, (isInTime) => {
            this.#rows.delete(run.id);
            if (!isInTime) this.#opened?.host.emit({ type: 'run-was-lost', run });
            return this.#isClosing ? this.#releaseIfIdle() : undefined;
        });
    }

    skipped(run: Run): void {
        if (this.#rows.has(run.id)) return void this.finished(run);
        const { job, schedule, args, tenant, reason = '', scheduledAt: slot, manual } = run;
        if (manual || slot === undefined || UNRECORDED_SKIPS.includes(reason)) return;
        const slots = { first: slot, last: slot, count: 1, atLeast: false };
        const skips = { job, schedule, args, tenant, reason, ...slots };
        this.#write((database) => recordSkips(database, skips, this.#owner), undefined);
    }

    unrun(slots: readonly UnrunOfSchedule[]): void | Promise<void> {
        return this.#write((database) => {
            for (const { schedule, ...found } of slots) {
                const { job, text, args } = schedule;
                const skips = { ...found, job, schedule: text, args, tenant: undefined };
                recordSkips(database, skips, this.#owner);
            }
        }, undefined);
    }

    settledUntil(
        schedules: readonly Schedule[],
        now: number,
    ): ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>> {
        const none: ReadonlyMap<string, number> = new Map();
        return this.#write((database) => settledUntil(database, schedules, now), none);
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
        return this.#changePauses((database) => pause(database, job, now));
    }

    resume(job: string): void | Promise<void> {
        const now = this.#second();
        return this.#changePauses((database) => resume(database, job, now));
    }

    #now(): number {
        return this.#opened?.host.clock.now() ?? 0;
    }

    #second(): number {
        return Math.floor(this.#now() / 1000);
    }

    async #openJournal(host: EngineHost): Promise<void> {
        const { root = process.cwd(), path } = await placeOf(host);
        const shown = path && (relative(root, path).startsWith('..') ? path : relative(root, path));
        // Several machines, or release folders, with a file each do not share it: whoever reads the log shall know.
        this.#description = `embedded, journal ${shown} of this machine`;
        const journal = await Journal.open({
            path,
            required: host.journal.required,
            patience: host.patience,
            trouble: (trouble, detail) =>
                host.emit({ type: 'journal-trouble', trouble, detail, path: shown ?? '' }),
            restore: (database) => {
                for (const job of this.#paused) pause(database, job, this.#second());
                if (path !== undefined) beat(database, this.#owner, host.clock.now());
            },
        });
        const vigil = new Vigil({
            journal,
            owner: this.#owner,
            host,
            isBusy: () => this.#rows.size > 0,
            noticePauses: (paused) => {
                this.#paused = paused;
            },
            adopt: (run, seq) => {
                this.#hold(run, seq);
                void host.takeOver(run);
            },
        });
        this.#opened = { host, journal, vigil };
        await this.#refreshPauses();
        if (!journal.isInMemory) await vigil.beat(host.patience);
    }

    #write<T>(work: (database: Database) => T, otherwise: T, patience?: Patience): T | Promise<T> {
        return this.#opened ? this.#opened.journal.tryWrite(work, otherwise, patience) : otherwise;
    }

    // A pause that nobody remembers is none: who asks for it has to know.
    #changePauses(work: (database: Database) => void): void | Promise<void> {
        if (!this.#opened) return;
        const { journal, host } = this.#opened;
        const changed = journal.write((database) => {
            work(database);
            return pausedJobs(database);
        }, host.patience);
        return andThen(changed, (paused) => {
            this.#paused = paused;
        });
    }

    #tellLost(run: Run, endedAt: number): void {
        Object.assign(run, { outcome: 'lost', reason: PROCESS_DIED, endedAt });
        this.#opened?.host.emit({ type: 'run-ended', run });
    }

    #hold(run: Run, seq: number): void {
        if (!this.#opened) return;
        const { journal, vigil } = this.#opened;
        this.#rows.set(run.id, { seq, generation: journal.generation });
        if (!journal.isInMemory) vigil.heart.keepBeating();
        else if (++this.#claims % FORGET_EVERY === 0) vigil.forget();
    }

    #rowOf({ id }: Run): number | undefined {
        const row = this.#rows.get(id);
        return row?.generation === this.#opened?.journal.generation ? row?.seq : undefined;
    }

    #refreshPauses(): void | Promise<void> {
        const found = this.#write<ReadonlySet<string>>(pausedJobs, this.#paused, this.#opened?.host.patience);
        return andThen(found, (paused) => {
            this.#paused = paused;
        });
    }

    async #releaseIfIdle(): Promise<void> {
        // What was remembered in memory lasts as long as the process.
        if (this.#rows.size > 0 || !this.#opened || this.#opened.journal.isInMemory) return;
        const { journal, vigil } = this.#opened;
        await this.#write((database) => forgetProcess(database, this.#owner.id), undefined);
        // It may have been opened again, or closed by another, while the file was locked.
        if (!this.#isClosing || this.#opened?.journal !== journal) return;
        vigil.heart.stop();
        this.#opened = undefined;
        this.#opening = undefined;
        await journal.close();
    }
}

function lockedOr(error: unknown): 'journal locked' {
    if (error instanceof JournalLockedError) return 'journal locked';
    throw error;
}

async function placeOf({ journal, environment }: HistoryHost): Promise<{ root?: string; path?: string }> {
    const { filename } = journal;
    if (filename === false || (filename === undefined && environment === 'test')) return {};
    const { rootPath: root = process.cwd() } = await Project.instance;
    const wanted = filename ?? `bot_${environment}.db`;
    return { root, path: isAbsolute(wanted) ? wanted : join(root, wanted) };
}
