import { setTimeout as delay } from 'node:timers/promises';
import type { Job } from 'bullmq';
import type { Result } from '../../runs/engine.js';
import type { GiveUpReason } from '../../runs/events.js';
import type { PastRun } from '../../runs/history.js';
import { ALL_JOBS, type Pause, pauseOf } from '../../runs/pause.js';
import type { Run, TenantId } from '../../runs/run.js';
import { entryFor, PROCESS_DIED } from '../row.js';
import { RedisAwayError } from './connection.js';
import type { LocalProcess, Running } from './local_process.js';
import { faultOf, memberOf, pastRunOf, QUEUE, type RedisRow, readRows, rowOf, runOf } from './rows.js';
import type { Steps } from './steps.js';

/** When a run comes again that may not start yet, in milliseconds. */
const COME_AGAIN = 500;

/** The same, while its job is paused, if the pause does not end before. */
const COME_AGAIN_PAUSED = 2_000;

/** So long a run waits for a process that knows its job, in milliseconds: while releases change, one comes. */
const WAIT_FOR_RELEASE = 300_000;

/** How long what is being recorded is waited for at the end, in milliseconds. */
const END_TIMEOUT = 2_000;

/** A run failed, and is to be tried again: how long BullMQ is to wait. */
class NextAttempt extends Error {
    constructor(
        message: string,
        readonly delay: number,
    ) {
        super(message);
    }
}

/** What was taken from the queue, until BullMQ knows what it came to. */
export interface Taken {
    readonly job: Job;
    readonly token: string;
    /** While its code goes on. */
    running?: Running;
    /** What it came to, for BullMQ. */
    value?: string;
    error?: Error;
    /** What it came to, and what history is to say of that; of a slot that has fanned out, nothing. */
    end?: { readonly run: Run; readonly past?: string } | undefined;
}

/** Makes the attempts of runs: of those that BullMQ hands over, and of those that somebody here waits for. */
export class Attempts {
    /** By the ids of runs. */
    readonly taken = new Map<string, Taken>();
    readonly #leaving = new Set<Promise<void>>();
    #isOver = false;

    constructor(
        private readonly process: LocalProcess,
        private readonly steps: Steps,
    ) {}

    /** Whether nothing goes on here, or is being recorded. */
    get isIdle(): boolean {
        return this.process.running.size + this.#leaving.size + this.taken.size === 0;
    }

    /** How long BullMQ is to wait before it brings back what failed with an error; -1: it is not to. */
    readonly delayAfter = (error: Error | undefined): number =>
        error instanceof NextAttempt ? error.delay : -1;

    /** Waits for what is being recorded; what cannot be by now is left to others. */
    async end(): Promise<void> {
        this.#isOver = this.process.connection.isAway;
        await Promise.race([Promise.all(this.#leaving), delay(END_TIMEOUT, undefined, { ref: false })]);
        this.#isOver = true;
    }

    /** Executes what BullMQ hands over; what it returns is kept with the job. */
    async perform(taken: Taken): Promise<string> {
        const { host, connection, isWorking } = this.process;
        const { job } = taken;
        if (job.data?.gone) return 'decided elsewhere';
        if (job.data?.held && !(await this.#untilBack(() => this.#mayGo(job))))
            return this.#putBack(taken, COME_AGAIN);
        const fault = faultOf(job.data, job.id);
        if (fault !== undefined) {
            const message = `Job ${job.id} in the queue of Redis is malformed: ${fault}. Nobody but pinstripe-bot may write there.`;
            host.emit({ type: 'engine-failed', error: { name: 'Error', message, stack: message } });
            throw new connection.packages.bullmq.UnrecoverableError(message);
        }
        const row: RedisRow = job.data;
        if (!isWorking) return this.#putBack(taken, 0);
        const plan = host.planOf(row.job);
        if (!plan) {
            const isLate = host.clock.now() > row.runAt + WAIT_FOR_RELEASE;
            return isLate ? this.#skip(row, 'unknown job') : this.#putBack(taken, COME_AGAIN);
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
                run.outcome = known.abort ? 'aborted' : 'lost';
                run.reason = known.abort ?? PROCESS_DIED;
                return this.#finish(taken, row, run);
            }
        }
        const pause = row.heedsPauses ? await this.#pauseOf(row.job) : undefined;
        if (pause) {
            const isNew = row.origin === 'schedule' && run.attempt === 1;
            const { until = Infinity } = pause;
            const wait = Math.min(COME_AGAIN_PAUSED, Math.max(1, until - host.clock.now()));
            return isNew ? this.#skip(row, 'paused') : this.#putBack(taken, wait);
        }
        run.startedAt ??= host.clock.now();
        return this.#execute(taken, row, run);
    }

    /** BullMQ has what a job came to: now its lane is left, and history written. */
    ended({ job, end }: Taken): void {
        if (!end) return;
        const { run, past } = end;
        const left = this.#untilBack(() => this.steps.leave(job.data, past, run.outcome))
            .then((streak) => {
                if (past === undefined) this.process.tellStreak(run, streak);
                else this.process.tellEnd(run, streak);
            })
            .catch((error) => this.process.tell(error))
            .finally(() => this.#leaving.delete(left));
        this.#leaving.add(left);
    }

    /** Another process has taken a run of this one for lost. */
    lost(taken: Taken): void {
        const { running, end } = taken;
        taken.end = undefined;
        if (end?.past) this.process.host.emit({ type: 'run-was-lost', run: end.run });
        running?.signal.abort('lost');
    }

    /** Makes all attempts of a run that somebody here waits for, and that is at the head of its lane: it is in no queue. */
    async performAwaited(row: RedisRow, run: Run): Promise<void> {
        const { host, connection, owner } = this.process;
        for (;;) {
            run.attempt += 1;
            run.startedAt ??= host.clock.now();
            const running = this.process.begin(row, run);
            const isThere = await this.#untilBack(async () => {
                const is = await connection.use((client, key) => client.hexists(key('rows'), row.id));
                if (is === 1) await this.note([running]);
                return is === 1;
            });
            if (!isThere) return this.process.end(running);
            let result = await this.#attempt(running);
            if (result.kind === 'retries') {
                const { signal } = running;
                const wait = Math.max(0, result.at - host.clock.now());
                host.emit({ type: 'run-retrying', run, error: result.error, delay: wait });
                this.process.running.set(row.id, running);
                await new Promise<void>((resolve) => {
                    const cancel = host.clock.after(wait, resolve);
                    signal.whenAborted(() => {
                        cancel();
                        resolve();
                    });
                });
                const { reason } = signal;
                if (reason === undefined) continue;
                result = { kind: 'ended', outcome: 'aborted', reason, error: result.error };
            }
            if (result.kind === 'ended') this.#assign(run, result);
            const past = run.outcome === 'skipped' ? undefined : JSON.stringify(pastRunOf(run, owner));
            const streak = await this.#untilBack(() => this.steps.leave(row, past, run.outcome));
            return this.process.tellEnd(run, streak);
        }
    }

    /** Lets others read what is known of runs, where they cannot yet. */
    async note(those: Iterable<Running>): Promise<void> {
        const { connection, owner } = this.process;
        const fresh = [...those].filter(({ isNoted, row }) => !isNoted && row.kind === 'run');
        if (fresh.length === 0) return;
        for (const running of fresh) running.isNoted = true;
        const fields = fresh.flatMap(({ row, run }) => [row.id, `r${JSON.stringify(pastRunOf(run, owner))}`]);
        await connection.use((client, key) => client.hset(key('started'), ...fields));
    }

    /** Records as well as can be that what goes on here is given up. */
    abandon(reason: GiveUpReason): void {
        const { host, owner, running } = this.process;
        for (const { row, run } of running.values()) {
            Object.assign(run, { outcome: 'aborted', reason, endedAt: host.clock.now() });
            this.steps.leave(row, JSON.stringify(pastRunOf(run, owner)), run.outcome).catch(() => {});
            this.process.tellEnd(run);
        }
        running.clear();
        void this.steps.flush();
    }

    async #execute(taken: Taken, row: RedisRow, run: Run): Promise<string> {
        const { host, connection, owner } = this.process;
        const { job } = taken;
        const running = this.process.begin(row, run);
        taken.running = running;
        const result = await this.#attempt(running);
        if (result.kind === 'fans out') {
            await this.#fanOut(row, result.tenants ?? [undefined]);
            taken.end = { run: Object.assign(run, { outcome: 'succeeded' }) };
            return 'fanned out';
        }
        const { reason = '' } = running.signal;
        if (result.kind === 'ended' || running.signal.aborted) {
            const replaced = { kind: 'ended', outcome: 'aborted', reason, error: result.error } as const;
            this.#assign(run, result.kind === 'ended' ? result : replaced);
            return this.#finish(taken, row, run);
        }
        const past = `w${JSON.stringify(pastRunOf({ ...run, error: result.error }, owner))}`;
        await this.#untilBack(() =>
            connection.use((client, key) => client.hset(key('started'), row.id, past)),
        );
        const wait = Math.max(0, result.at - host.clock.now());
        host.emit({ type: 'run-retrying', run, error: result.error, delay: wait });
        // Whether there is another attempt is for this release's settings to say.
        Object.assign(job.opts, { attempts: job.attemptsMade + 2, backoff: { type: 'custom' } });
        throw new NextAttempt(result.error.message, wait);
    }

    async #finish(taken: Taken, row: RedisRow, run: Run): Promise<string> {
        const { host, owner, connection } = this.process;
        run.endedAt ??= host.clock.now();
        if (run.outcome === 'skipped') return this.#skip(row, run.reason ?? 'skipped');
        const past = JSON.stringify(pastRunOf(run, owner));
        taken.end = { run, past };
        if (run.outcome === 'succeeded') return [run.startedAt, run.endedAt, run.attempt].join(' ');
        await taken.job.updateData({ ...row, ended: past });
        const message = run.error?.message ?? `${run.outcome}: ${run.reason}`;
        const error = new connection.packages.bullmq.UnrecoverableError(message);
        error.stack = run.error?.stack ?? message;
        throw error;
    }

    async #skip(row: RedisRow, reason: string): Promise<string> {
        await this.#untilBack(() => this.steps.each([row], (plan) => plan.skipTaken(row, reason)));
        return `skipped: ${reason}`;
    }

    async #attempt(running: Running): Promise<Result> {
        const { row, run, signal, output } = running;
        const { kind, runAt: dueAt } = row;
        const result = await this.process.host.perform({ kind, run, signal, dueAt, output });
        this.process.end(running);
        if (output.isEmpty) return result;
        const isKept = result.kind !== 'ended' || /failed|timed_out/.test(result.outcome);
        await this.#untilBack(async () => {
            await this.process.keepOutput(running);
            if (!isKept) await this.process.limitOutputs(run);
        }).catch(() => {});
        return result;
    }

    // Each of them has the id of its slot and lane: what is there already does not come again.
    async #fanOut(row: RedisRow, tenants: readonly (TenantId | undefined)[]): Promise<void> {
        const { host, owner } = this.process;
        const setting = host.planOf(row.job)?.settings.spread ?? 0;
        const rows = tenants.map((tenant) =>
            rowOf(entryFor(tenant, runOf(row), setting, host.clock.now()), row, owner),
        );
        await this.#untilBack(() => this.steps.enter(rows));
    }

    /** Whether a row may go that has let another one of its lane go first: if so, it is itself again. */
    async #mayGo(job: Job): Promise<boolean> {
        const { connection } = this.process;
        const [row] = await readRows(connection, [job.id ?? '']);
        if (!row) return false;
        const head = await connection.use((client, key) => client.lindex(key(`lane:${row.lane}`), 0));
        if (head !== memberOf(row)) return false;
        await job.updateData(row);
        return true;
    }

    async #putBack({ job, token }: Taken, milliseconds: number): Promise<never> {
        const { connection } = this.process;
        const { DelayedError, WaitingError } = connection.packages.bullmq;
        try {
            // It was not begun.
            if (job.attemptsMade + job.stalledCounter === 0)
                await connection.use((client, key) => client.hdel(key(`${QUEUE}:${job.id}`), 'processedOn'));
            if (milliseconds > 0) await job.moveToDelayed(Date.now() + milliseconds, token);
            else await job.moveToWait(token);
        } catch {
            // Whoever finds it without its lock puts it back.
        }
        throw milliseconds > 0 ? new DelayedError() : new WaitingError();
    }

    async #knownOf(id: string) {
        const [row, started, abort] = await this.process.connection.use((client, key) =>
            Promise.all([
                client.hexists(key('rows'), id),
                client.hget(key('started'), id),
                client.hget(key('live'), `abort ${id}`),
            ]),
        );
        const past = started ? (JSON.parse(started.slice(1)) as PastRun) : undefined;
        return { isThere: row === 1, past, abort: abort ?? undefined };
    }

    // What the last beat has seen may be over: no resume of another process is missed.
    async #pauseOf(job: string): Promise<Pause | undefined> {
        const { pauses, connection, host } = this.process;
        if (!pauseOf(pauses, job, host.clock.now())) return undefined;
        const fields = [`pause ${job}`, `pause ${ALL_JOBS}`];
        const known = await this.#untilBack(() =>
            connection.use((client, key) => client.hmget(key('live'), ...fields)),
        );
        const found = known.flatMap((text) => (text ? [JSON.parse(text) as Pause] : []));
        return pauseOf(found, job, host.clock.now());
    }

    #assign(run: Run, { outcome, reason, error }: Extract<Result, { kind: 'ended' }>): void {
        Object.assign(run, { outcome, reason, error, endedAt: this.process.host.clock.now() });
        if (outcome === 'skipped') run.startedAt = undefined;
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
