import { AbortRequest } from '../../runs/active_run.js';
import type { EngineHost } from '../../runs/engine.js';
import { MOST_OUTPUT, Output } from '../../runs/output.js';
import type { Pause } from '../../runs/pause.js';
import type { Run } from '../../runs/run.js';
import { readError, toError } from '../../text/errors.js';
import type { Owner } from '../owner.js';
import { type Streak, streakEvent } from '../streak.js';
import { type Connection, RedisAwayError } from './connection.js';
import type { EndedRow } from './lanes.js';
import { type RedisRow, runOf } from './rows.js';

/** What goes wrong in BullMQ is told again after so long, in milliseconds. */
const TELL_AGAIN = 60_000;

/** A process is busy until it has had nothing to do for so long, in milliseconds. */
const BUSY = 10_000;

/** A run that goes on here. */
export interface Running {
    readonly row: RedisRow;
    readonly run: Run;
    readonly signal: AbortRequest;
    readonly output: Output;
    /** Whether others can read what is known of it. */
    isNoted: boolean;
}

/** Somebody here waits for a run. */
interface Waiter {
    readonly row: RedisRow;
    readonly run: Run;
    /** Resolves when it is in its lane, or does not enter it. */
    readonly entered: Promise<void>;
    /** Called when it is at the head of its lane. */
    begin(): void;
    resolve(run: Run): void;
}

/** This process, as the engine on Redis knows it: what goes on in it, and what somebody in it waits for. */
export class LocalProcess {
    readonly running = new Map<string, Running>();
    readonly waiters = new Map<string, Waiter>();
    /** The pauses, as they were with the last beat. */
    pauses: readonly Pause[] = [];
    /** Whether it takes what waits. */
    isWorking = false;
    /** Up to which second it has enqueued; undefined: it does not schedule. */
    enqueuedUntil: number | undefined;
    readonly #toldAt = new Map<string, number>();
    readonly #resting: (() => void)[] = [];
    #busyAt = Number.NEGATIVE_INFINITY;

    constructor(
        readonly host: EngineHost,
        readonly connection: Connection,
        readonly owner: Owner,
    ) {}

    /** Whether anything goes on here, or has until lately. */
    get isBusy(): boolean {
        return this.running.size + this.waiters.size > 0 || performance.now() - this.#busyAt < BUSY;
    }

    busy(): void {
        this.#busyAt = performance.now();
    }

    begin(row: RedisRow, run: Run): Running {
        const running = { row, run, signal: new AbortRequest(), output: new Output(), isNoted: false };
        this.running.set(row.id, running);
        this.busy();
        return running;
    }

    /** Adds what a run has printed since to what is kept of it. */
    async keepOutput({ row: { id }, output }: Running): Promise<void> {
        const text = output.take();
        if (text === '') return;
        try {
            await this.connection.use(async (client, key) => {
                const kept = key(`output:${id}`);
                const length = await client.append(kept, text);
                if (length > 4 * MOST_OUTPUT)
                    await client.set(kept, await client.getrange(kept, -2 * MOST_OUTPUT, -1));
                await client.pexpire(kept, this.host.journal.retention);
            });
        } catch (error) {
            output.add(text);
            throw error;
        }
    }

    /** Of a job's runs that did not fail, only the last keep what they have printed. */
    async limitOutputs({ job, id }: Run): Promise<void> {
        const { connection, host } = this;
        await connection.use(async (client, key) => {
            const list = key(`outputs:${job}`);
            const count = await client.lpush(list, id);
            await client.pexpire(list, host.journal.retention);
            if (count <= host.outputKept) return;
            const over = await client.lrange(list, host.outputKept, -1);
            await client.ltrim(list, 0, host.outputKept - 1);
            await client.del(over.map((one) => key(`output:${one}`)));
        });
    }

    end(running: Running): void {
        const { id } = running.row;
        // Given up as lost, it may have begun again.
        if (this.running.get(id) === running) this.running.delete(id);
        for (const resolve of this.#resting.splice(0)) resolve();
    }

    /** Waits until nothing goes on here any more. */
    async rested(): Promise<void> {
        while (this.running.size > 0) await new Promise<void>((resolve) => this.#resting.push(resolve));
    }

    abort(id: string, reason: string): void {
        this.running.get(id)?.signal.abort(reason);
    }

    /** Tells of something that ran, or was lost. */
    tellEnd(run: Run, streak?: Streak): void {
        this.host.emit({ type: 'run-ended', run });
        const waiter = this.waiters.get(run.id);
        this.waiters.delete(run.id);
        waiter?.resolve(run);
        this.tellStreak(run, streak);
    }

    tellStreak(run: Run, streak: Streak | undefined): void {
        if (streak) this.host.emit(streakEvent(run, streak));
    }

    /** Tells of something that did not start, or ended while it waited for its retry. */
    tellSkipped({ row, reason, past }: EndedRow): Run {
        const { host } = this;
        const run = this.waiters.get(row.id)?.run ?? runOf(row, host.planOf(row.job)?.file);
        const outcome = past ? 'aborted' : 'skipped';
        Object.assign(run, { outcome, reason, endedAt: host.clock.now() });
        if (past) Object.assign(run, { attempt: past.attempt, startedAt: past.startedAt });
        this.tellEnd(run);
        return run;
    }

    /** Tells of what goes wrong besides; of the connection the connection tells. */
    tell(cause: unknown): void {
        const error = toError(cause);
        const isOfConnection =
            'code' in error || 'syscall' in error || /connection|socket|sentinel/i.test(error.message);
        if (this.connection.isAway || isOfConnection || error instanceof RedisAwayError) return;
        const now = performance.now();
        if (now - (this.#toldAt.get(error.message) ?? -Infinity) < TELL_AGAIN) return;
        this.#toldAt.set(error.message, now);
        this.host.emit({ type: 'engine-failed', error: readError(error) });
    }
}
