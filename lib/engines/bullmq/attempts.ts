import { setTimeout as delay } from 'node:timers/promises';
import type { Job } from 'bullmq';
import type { EngineHost, Result } from '../../runs/engine.js';
import type { GiveUpReason } from '../../runs/events.js';
import type { PastRun } from '../../runs/history.js';
import type { Run, TenantId } from '../../runs/run.js';
import { readError, toError } from '../../text/errors.js';
import type { Owner } from '../owner.js';
import { type Connection, RedisAwayError } from './connection.js';
import type { Packages } from './packages.js';
import { faultOf, pastRunOf, type RedisRow, rowOf, runOf, workerNamed } from './rows.js';
import { MOST_IN_STEP, type Steps } from './steps.js';
import { QUEUE } from './worker.js';

/** When a run comes again that may not start yet, in milliseconds. */
const COME_AGAIN = 500;

/** The same, while its job is paused. */
const COME_AGAIN_PAUSED = 2_000;

/** So long a run waits for a process that knows its job, in milliseconds: while releases change, one comes. */
const PATIENCE_WITH_RELEASES = 300_000;

/** How long what is being recorded is waited for at the end, in milliseconds. */
const END_PATIENCE = 2_000;

/** What a job returns to BullMQ whose runs for its tenants have been made. */
const FANNED_OUT = 'fanned out';

/** What attempts are made with. */
export interface AttemptsParts {
    readonly host: EngineHost;
    readonly connection: Connection;
    readonly packages: Packages;
    readonly owner: Owner;
    readonly steps: Steps;
    /** Whether this process takes what waits. */
    isWorking(): boolean;
    /** Whether a job is paused: no resume of another process is missed. */
    isPaused(job: string): Promise<boolean>;
    /** Told of something that ran, or was lost, when it is recorded. */
    tellEnd(run: Run): void;
    /** Told that a run goes on here. */
    begun(): void;
}

/** A run that goes on here. */
export interface Running {
    readonly row: RedisRow;
    readonly run: Run;
    readonly controller: AbortController;
    /** Whether others can read what is known of it. */
    isNoted: boolean;
}

/** A run failed, and is to be tried again: how long BullMQ is to wait. */
class NextAttempt extends Error {
    constructor(
        message: string,
        readonly delay: number,
    ) {
        super(message);
    }
}

/** Makes the attempts of runs: of those that BullMQ hands over, and of those that somebody here waits for. */
export class Attempts {
    readonly running = new Map<string, Running>();
    /** What has ended here and is not recorded yet, by id. */
    readonly #ended = new Map<string, { readonly run: Run; readonly past: string }>();
    readonly #leaving = new Set<Promise<void>>();
    readonly #resting: (() => void)[] = [];
    #isOver = false;

    constructor(private readonly parts: AttemptsParts) {}

    /** Whether nothing goes on here, or is being recorded. */
    get isIdle(): boolean {
        return this.running.size === 0 && this.#leaving.size === 0 && this.#ended.size === 0;
    }

    /** How long BullMQ is to wait before it brings back what failed with an error; -1: it is not to. */
    readonly delayAfter = (error: Error | undefined): number =>
        error instanceof NextAttempt ? error.delay : -1;

    /** Waits until nothing goes on here any more. */
    async rested(): Promise<void> {
        while (this.running.size > 0) await new Promise<void>((resolve) => this.#resting.push(resolve));
    }

    /** Waits for what is being recorded; what cannot be by now is left to others. */
    async end(): Promise<void> {
        this.#isOver = this.parts.connection.isAway;
        await Promise.race([Promise.all(this.#leaving), delay(END_PATIENCE, undefined, { ref: false })]);
        this.#isOver = true;
    }

    /** Executes what BullMQ hands over; what it returns is kept with the job. */
    async process(job: Job, token: string): Promise<string> {
        const { packages, host } = this.parts;
        const data = job.data as RedisRow & { gone?: true; held?: true };
        if (data?.gone) return 'decided elsewhere';
        if (data?.held) return this.#putBack(job, token, COME_AGAIN);
        const fault = faultOf(data, job.id);
        if (fault !== undefined) {
            const message = `Job ${job.id} in the queue of Redis is malformed: ${fault}. Nobody but pinstripe-bot may write there.`;
            host.emit({ type: 'engine-failed', error: { name: 'Error', message, stack: message } });
            throw new packages.bullmq.UnrecoverableError(message);
        }
        const row: RedisRow = data;
        if (!this.parts.isWorking()) return this.#putBack(job, token, 0);
        const plan = host.planOf(row.job);
        if (!plan) {
            const isLate = host.clock.now() > row.runAt + PATIENCE_WITH_RELEASES;
            return isLate ? this.#skip(row, 'unknown job') : this.#putBack(job, token, COME_AGAIN);
        }
        const run = runOf(row, plan.file);
        run.attempt = job.attemptsMade + job.stalledCounter + 1;
        if (run.attempt > 1) {
            const known = await this.#untilBack(() => this.#knownOf(row.id));
            if (!known.isThere) return 'decided elsewhere';
            run.startedAt = known.past?.startedAt ?? row.runAt;
            const isLost = row.kind === 'run' && run.attempt > plan.settings.retries + 1;
            if (known.abort !== undefined || isLost) {
                run.attempt -= 1;
                Object.assign(run, { outcome: known.abort ? 'aborted' : 'lost' });
                run.reason = known.abort ?? PROCESS_DIED;
                return this.#finish(job, row, run);
            }
        }
        if (row.heedsPauses && (await this.#untilBack(() => this.parts.isPaused(row.job)))) {
            if (row.origin !== 'schedule' || run.attempt > 1)
                return this.#putBack(job, token, COME_AGAIN_PAUSED);
            return this.#skip(row, 'paused');
        }
        run.startedAt ??= host.clock.now();
        return this.#execute(job, row, run);
    }

    /** BullMQ has what a job came to: now its lane is left, and history written. */
    ended(job: Job): void {
        const id = job.id ?? '';
        const ended = this.#ended.get(id);
        if (!ended && job.returnvalue !== FANNED_OUT) return;
        const left = this.#untilBack(() => this.parts.steps.leave(job.data as RedisRow, ended?.past));
        const followed = left
            .then(() => ended && this.parts.tellEnd(ended.run))
            .catch((error) => this.#tell(error))
            .finally(() => this.#leaving.delete(followed));
        this.#leaving.add(followed);
        this.#ended.delete(id);
    }

    /** Another process has taken a run of this one for lost. */
    lost(id: string): void {
        const ended = this.#ended.get(id);
        this.#ended.delete(id);
        if (ended) this.parts.host.emit({ type: 'run-was-lost', run: ended.run });
        this.running.get(id)?.controller.abort('lost');
    }

    /**
     * Makes all attempts of a run that somebody here waits for: it is in no queue.
     *
     * @returns whether it is over; else it was not to start
     */
    async performAwaited(row: RedisRow, run: Run): Promise<boolean> {
        const { host, connection, steps, owner } = this.parts;
        for (;;) {
            run.attempt += 1;
            run.startedAt ??= host.clock.now();
            const running = this.#begin(row, run);
            const isThere = await this.#untilBack(async () => {
                const found = await connection.use((client) =>
                    client.hexists(connection.key('rows'), row.id),
                );
                if (found === 1) await this.note([running]);
                return found === 1;
            });
            if (!isThere) return !this.running.delete(row.id);
            let result = await this.#perform(running);
            if (result.kind === 'retries') {
                const wait = Math.max(0, result.at - host.clock.now());
                host.emit({ type: 'run-retrying', run, error: result.error, delay: wait });
                const reason = await this.#waitForRetry(running, wait);
                if (reason === undefined) continue;
                result = { kind: 'ended', outcome: 'aborted', reason, error: result.error };
            }
            if (result.kind === 'ended') this.#assign(run, result);
            const past = run.outcome === 'skipped' ? undefined : JSON.stringify(pastRunOf(run, owner));
            await this.#untilBack(() => steps.leave(row, past));
            return true;
        }
    }

    /** Lets others read what is known of runs. */
    async note(runs: readonly Running[]): Promise<void> {
        const { connection, owner } = this.parts;
        if (runs.length === 0) return;
        for (const running of runs) running.isNoted = true;
        const fields = runs.flatMap(({ row, run }) => [row.id, `r${JSON.stringify(pastRunOf(run, owner))}`]);
        await connection.use((client) => client.hset(connection.key('started'), ...fields));
    }

    /** Records as well as can be that what goes on here is given up. */
    abandon(reason: GiveUpReason): void {
        const { host, steps, owner, tellEnd } = this.parts;
        for (const { row, run } of this.running.values()) {
            Object.assign(run, { outcome: 'aborted', reason, endedAt: host.clock.now() });
            steps.leave(row, JSON.stringify(pastRunOf(run, owner))).catch(() => {});
            tellEnd(run);
        }
        this.running.clear();
        void steps.flush();
    }

    async #execute(job: Job, row: RedisRow, run: Run): Promise<string> {
        const { host, connection, owner } = this.parts;
        const running = this.#begin(row, run);
        const result = await this.#perform(running);
        if (result.kind === 'fans out') {
            await this.#fanOut(row, result.tenants ?? [undefined]);
            return FANNED_OUT;
        }
        const { aborted, reason } = running.controller.signal;
        if (result.kind === 'ended' || aborted) {
            const replaced = { kind: 'ended', outcome: 'aborted', reason, error: result.error } as const;
            this.#assign(run, result.kind === 'ended' ? result : replaced);
            return this.#finish(job, row, run);
        }
        const past = `w${JSON.stringify(pastRunOf({ ...run, error: result.error }, owner))}`;
        await this.#untilBack(() =>
            connection.use((client) => client.hset(connection.key('started'), row.id, past)),
        );
        const wait = Math.max(0, result.at - host.clock.now());
        host.emit({ type: 'run-retrying', run, error: result.error, delay: wait });
        // As many attempts as this release's settings say.
        job.opts.attempts = job.attemptsMade + 2;
        throw new NextAttempt(result.error.message, wait);
    }

    async #finish(job: Job, row: RedisRow, run: Run): Promise<string> {
        const { packages, owner, host } = this.parts;
        run.endedAt ??= host.clock.now();
        if (run.outcome === 'skipped') return this.#skip(row, run.reason ?? 'skipped');
        const past = JSON.stringify(pastRunOf(run, owner));
        this.#ended.set(row.id, { run, past });
        if (run.outcome === 'succeeded') return [run.startedAt, run.endedAt, run.attempt].join(' ');
        await job.updateData({ ...row, ended: past });
        const error = new packages.bullmq.UnrecoverableError(
            run.error?.message ?? `${run.outcome}: ${run.reason}`,
        );
        error.stack = run.error?.stack ?? error.message;
        throw error;
    }

    async #skip(row: RedisRow, reason: string): Promise<string> {
        await this.#untilBack(() => this.parts.steps.skip(row, reason));
        return `skipped: ${reason}`;
    }

    #begin(row: RedisRow, run: Run): Running {
        const running = { row, run, controller: new AbortController(), isNoted: false };
        this.running.set(row.id, running);
        this.parts.begun();
        return running;
    }

    async #perform({ row, run, controller }: Running): Promise<Result> {
        try {
            const { kind, runAt } = row;
            return await this.parts.host.perform({ kind, run, signal: controller.signal, dueAt: runAt });
        } finally {
            this.running.delete(row.id);
            for (const resolve of this.#resting.splice(0)) resolve();
        }
    }

    #waitForRetry(running: Running, milliseconds: number): Promise<string | undefined> {
        const { signal } = running.controller;
        this.running.set(running.row.id, running);
        if (signal.aborted) return Promise.resolve(String(signal.reason));
        return new Promise((resolve) => {
            const cancel = this.parts.host.clock.after(milliseconds, () => resolve(undefined));
            signal.addEventListener('abort', () => {
                cancel();
                resolve(String(signal.reason));
            });
        });
    }

    // Each of them has the id of its slot and lane: what is there already does not come again.
    async #fanOut(row: RedisRow, tenants: readonly (TenantId | undefined)[]): Promise<void> {
        const { origin, overlap, missed, catchesUp, heedsPauses, retries } = row;
        const runAt = this.parts.host.clock.now();
        const parts = {
            kind: 'run' as const,
            origin,
            overlap,
            missed,
            catchesUp,
            runAt,
            heedsPauses,
            retries,
        };
        for (let from = 0; from < tenants.length; from += MOST_IN_STEP) {
            const rows = tenants.slice(from, from + MOST_IN_STEP).map((tenant) => {
                const run = { ...runOf(row, undefined), id: globalThis.crypto.randomUUID(), tenant };
                return rowOf(run, parts, this.parts.owner);
            });
            await this.#untilBack(() => this.parts.steps.enter(rows));
        }
    }

    async #putBack(job: Job, token: string, milliseconds: number): Promise<never> {
        const { connection, packages } = this.parts;
        const { DelayedError, WaitingError } = packages.bullmq;
        const key = connection.key(`${QUEUE}:${job.id}`);
        try {
            // It was not begun.
            if (job.attemptsMade + job.stalledCounter === 0)
                await connection.use((client) => client.hdel(key, 'processedOn'));
            if (milliseconds > 0) await job.moveToDelayed(Date.now() + milliseconds, token);
            else await job.moveToWait(token);
        } catch {
            // Whoever finds it without its lock puts it back.
        }
        throw milliseconds > 0 ? new DelayedError() : new WaitingError();
    }

    async #knownOf(id: string) {
        const { connection } = this.parts;
        const [row, started, abort] = await connection.use((client) =>
            Promise.all([
                client.hexists(connection.key('rows'), id),
                client.hget(connection.key('started'), id),
                client.hget(connection.key('live'), `abort ${id}`),
            ]),
        );
        const past = started ? (JSON.parse(started.slice(1)) as PastRun) : undefined;
        return { isThere: row === 1, past, abort: abort ?? undefined };
    }

    #assign(run: Run, { outcome, reason, error }: Extract<Result, { kind: 'ended' }>): void {
        Object.assign(run, { outcome, reason, error, endedAt: this.parts.host.clock.now() });
        if (outcome === 'skipped') run.startedAt = undefined;
    }

    #tell(error: unknown): void {
        if (error instanceof RedisAwayError) return;
        this.parts.host.emit({ type: 'engine-failed', error: readError(toError(error)) });
    }

    /** Tries until Redis is back. */
    async #untilBack<T>(work: () => Promise<T>): Promise<T> {
        for (;;) {
            try {
                return await work();
            } catch (error) {
                if (!(error instanceof RedisAwayError) || this.#isOver) throw error;
                await delay(COME_AGAIN);
            }
        }
    }
}

/** Why a run is lost. */
export const PROCESS_DIED = 'its process died';

/**
 * What history is to say of a run in the queue that has ended, read from what BullMQ has kept.
 *
 * @param returned what it returned, as JSON
 * @param data its data, as JSON
 * @param by the name of its worker
 */
export function pastOfJob(
    row: RedisRow,
    returned: string | null,
    data: string | null,
    by: string | null,
): string | undefined {
    const { ended } = JSON.parse(data || '{}') as { ended?: string };
    const [startedAt, endedAt, attempt] = String(JSON.parse(returned || '""'))
        .split(' ')
        .map(Number);
    if (ended !== undefined || !attempt) return ended;
    const run = Object.assign(runOf(row, undefined), { outcome: 'succeeded', startedAt, endedAt, attempt });
    return JSON.stringify(pastRunOf(run, workerNamed(by)));
}
