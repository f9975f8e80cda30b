import type { Config, Role } from '../../config/config.js';
import type { RedisSettings } from '../../config/redis_settings.js';
import {
    ALL_JOBS,
    type ClaimAnswer,
    type Engine,
    type EngineHost,
    type HistoryHost,
    type RunQueue,
    type UnrunOfSchedule,
} from '../../runs/engine.js';
import type { SkipReason } from '../../runs/events.js';
import type { History } from '../../runs/history.js';
import type { Run } from '../../runs/run.js';
import type { Schedule } from '../../schedule/schedule.js';
import { createOwner } from '../owner.js';
import { readPrefix } from './key_prefix.js';
import { Link, RedisAwayError } from './link.js';
import { Membership } from './membership.js';
import { type Connect, connectWith, loadPackages } from './packages.js';
import { RedisHistory } from './redis_history.js';

/** Processes that find the clock set back to within this many seconds of one another have found the same. */
const SAME_STEP = 60;

/** They find it within this many seconds; later it has been set back once more. */
const STEP_LAPSE = 600;

/** Skips that say nothing about the slot: it is claimed, or stays for whoever comes next. */
const UNRECORDED_SKIPS = ['claimed elsewhere', 'stopping', 'no journal'];

const DUTIES: Record<Role, string> = {
    both: 'schedules and works',
    scheduler: 'schedules only',
    worker: 'works only',
};

/** The keys of the config that this engine goes by. */
export type BullmqConfig = Pick<Config, 'redis' | 'redisPrefix' | 'role' | 'concurrency'>;

/** A run of this process that has not ended. */
interface HeldRun {
    readonly isQueued: boolean;
    /** How long BullMQ is to wait for its next attempt, in milliseconds; undefined: there is none to come. */
    retryIn: number | undefined;
}

/** Runs travel through a queue in Redis, so that any number of machines share the work. */
export class BullmqEngine implements Engine {
    readonly #owner = createOwner();
    readonly #held = new Map<string, HeldRun>();
    #opened: Membership | undefined;
    #opening: Promise<void> | undefined;
    #description = 'bullmq';
    #isClosing = false;

    /**
     * @param config where Redis is, and what this process does
     * @param connect makes clients; default: ioredis
     */
    constructor(
        private readonly config: BullmqConfig,
        private readonly connect?: Connect,
    ) {}

    get description(): string {
        return this.#description;
    }

    get queue(): RunQueue | undefined {
        return this.#opened?.producer;
    }

    open(host: EngineHost): void | Promise<void> {
        this.#isClosing = false;
        if (this.#opened) return;
        this.#opening ??= this.#open(host).catch((error) => {
            this.#opening = undefined;
            throw error;
        });
        return this.#opening;
    }

    watch(): void {
        this.#opened?.watch();
    }

    rest(): void {
        this.#opened?.rest();
    }

    async history(host: HistoryHost): Promise<History> {
        if (this.#opened) return new RedisHistory(this.#opened.link);
        const connect = this.connect ?? connectWith(await loadPackages());
        const prefix = await readPrefix(this.config.redisPrefix, host.environment);
        return new RedisHistory(new Link(this.#redis, prefix, connect, { away() {}, back() {} }));
    }

    async close(): Promise<void> {
        this.rest();
        this.#isClosing = true;
        await this.#releaseIfIdle();
    }

    async claim(run: Run, isExclusive: boolean): Promise<ClaimAnswer> {
        if (!this.#opened) return 'no journal';
        const { ledger, outbox, host } = this.#opened;
        // From before it is granted: until then another run may end, and with the last one this process's beat.
        this.#take(run, false);
        try {
            const { answer } = await ledger.claim(run, { at: host.clock.now(), isExclusive });
            if (answer !== 'granted') await this.#drop(run);
            return answer as ClaimAnswer;
        } catch (error) {
            await this.#drop(run);
            if (!(error instanceof RedisAwayError)) throw error;
            // It may have been granted, and the answer lost.
            const given = {
                ...run,
                outcome: 'aborted',
                reason: 'no journal',
                endedAt: host.clock.now(),
            } as const;
            outbox.add(async () => void (await ledger.disclaim(given)));
            return 'no journal';
        }
    }

    retrying(run: Run, delay: number): boolean {
        const held = this.#held.get(run.id);
        if (!this.#opened || !held) return false;
        const { ledger, outbox } = this.#opened;
        const { attempt } = run;
        if (!held.isQueued) {
            void outbox.send(() => ledger.noteAttempt({ ...run, attempt }));
            return false;
        }
        held.retryIn = delay;
        void outbox.send(() => ledger.putBack(run, true));
        return true;
    }

    async finished(run: Run): Promise<void> {
        if (!this.#opened) return;
        const { ledger, outbox, host, producer } = this.#opened;
        const ended = { ...run };
        const told = outbox.send(async () => {
            const { stands, next } = await ledger.finish(ended);
            if (!stands) host.emit({ type: 'run-was-lost', run });
            if (next !== undefined) void producer.wake(next);
        });
        // Of a run of the queue BullMQ is told at the same time; should only that arrive, it is enough for others.
        if (this.#held.get(run.id)?.isQueued) return;
        await told;
        await this.#drop(run);
    }

    skipped(run: Run): void {
        if (!this.#opened) return;
        const { ledger, outbox, host } = this.#opened;
        // A claimed run that does not start, because the bot stops.
        if (this.#held.get(run.id)?.isQueued) return void outbox.send(() => ledger.putBack(run, false));
        const { job, schedule, args, tenant, reason = '', scheduledAt: slot, manual } = run;
        if (manual || slot === undefined || UNRECORDED_SKIPS.includes(reason)) return;
        const slots = { first: slot, last: slot, count: 1, atLeast: false };
        const skips = { job, schedule, args, tenant, reason, ...slots };
        void outbox.send(() => ledger.skip(skips, host.clock.now()));
    }

    async unrun(slots: readonly UnrunOfSchedule[]): Promise<void> {
        const { ledger, host } = this.#opened ?? {};
        if (!ledger || !host) return;
        await this.#orNothing(async () => {
            for (const { schedule, ...found } of slots) {
                const { job, text, args } = schedule;
                await ledger.skip(
                    { ...found, job, schedule: text, args, tenant: undefined },
                    host.clock.now(),
                );
            }
        }, undefined);
    }

    async settledUntil(schedules: readonly Schedule[], now: number): Promise<ReadonlyMap<string, number>> {
        // While Redis is away nothing is owed; all of it is once it is back.
        const none: ReadonlyMap<string, number> = new Map(schedules.map(({ key }) => [key, now]));
        return this.#orNothing(async ({ settled }) => settled.until(schedules, now), none);
    }

    latestSettled(): Promise<number | undefined> {
        return this.#orNothing<number | undefined>(({ settled }) => settled.latest(), undefined);
    }

    settle(schedule: Schedule, second: number): void {
        if (!this.#opened) return;
        // What is not told would be owed, and told as not run, once Redis is back.
        const { outbox, settled } = this.#opened;
        void outbox.send(() => settled.settle(schedule, second), schedule.key);
    }

    async voidClaimsAfter(second: number): Promise<void> {
        await this.#orNothing(async ({ link, pulse }) => {
            await link.script('botVoid', second, SAME_STEP, STEP_LAPSE);
            await pulse.refresh();
        }, undefined);
    }

    isPaused(job: string): boolean {
        const paused = this.#opened?.pulse.paused;
        return paused !== undefined && (paused.has(job) || paused.has(ALL_JOBS));
    }

    async pausedJobs(): Promise<readonly string[]> {
        const { pulse } = this.#required();
        await pulse.refresh();
        return [...pulse.paused].sort();
    }

    async pause(job: string): Promise<void> {
        const { link, pulse, host } = this.#required();
        const now = Math.floor(host.clock.now() / 1000);
        await link.use((client) => client.hsetnx(link.key('state'), `pause ${job}`, now));
        await pulse.refresh();
    }

    async resume(job: string): Promise<void> {
        const { link, pulse, host } = this.#required();
        await link.script('botResume', job, Math.floor(host.clock.now() / 1000));
        await pulse.refresh();
    }

    get #redis(): RedisSettings {
        const { redis } = this.config;
        if (!redis) throw new TypeError(`the engine 'bullmq' was made without bot.redis`);
        return redis;
    }

    async #open(host: EngineHost): Promise<void> {
        const packages = await loadPackages();
        const settings = this.#redis;
        const { role, concurrency, redisPrefix } = this.config;
        const prefix = await readPrefix(redisPrefix, host.environment);
        this.#description = `bullmq, Redis ${settings.place}, keys ${prefix}:*, ${DUTIES[role]}`;
        this.#opened = new Membership({
            packages,
            connect: this.connect ?? connectWith(packages),
            settings,
            prefix,
            role,
            concurrency,
            owner: this.#owner,
            host,
            isBusy: () => this.#held.size > 0,
            adopt: (run) => {
                this.#take(run, false);
                void host.takeOver(run);
            },
            execute: (run) => this.#execute(run),
            skip: (run, reason) => this.#skip(run, reason),
        });
        await this.#opened.pulse.beat();
    }

    async #execute(run: Run): Promise<{ retryIn: number | undefined }> {
        this.#take(run, true);
        const held = this.#held.get(run.id);
        await this.#opened?.host.takeOver(run);
        // Not awaited: an end of it all waits for the worker, which waits for this.
        void this.#drop(run);
        return { retryIn: held?.retryIn };
    }

    #skip(run: Run, reason: SkipReason): void {
        Object.assign(run, { outcome: 'skipped', reason });
        this.skipped(run);
        this.#opened?.host.emit({ type: 'run-ended', run });
    }

    #take(run: Run, isQueued: boolean): void {
        this.#held.set(run.id, { isQueued, retryIn: undefined });
        this.#opened?.hold();
    }

    async #drop(run: Run): Promise<void> {
        this.#held.delete(run.id);
        if (this.#isClosing) await this.#releaseIfIdle();
        else if (this.#held.size === 0) await this.#opened?.letGo();
    }

    async #orNothing<T>(work: (opened: Membership) => Promise<T>, otherwise: T): Promise<T> {
        if (!this.#opened) return otherwise;
        try {
            return await work(this.#opened);
        } catch (error) {
            if (error instanceof RedisAwayError) return otherwise;
            throw error;
        }
    }

    #required(): Membership {
        if (!this.#opened) throw new Error('the engine is not open');
        return this.#opened;
    }

    async #releaseIfIdle(): Promise<void> {
        const opened = this.#opened;
        if (this.#held.size > 0 || !opened) return;
        await opened.windUp();
        // It may have been opened again meanwhile, or closed by another; and where a run was claimed, its end closes it.
        if (!this.#isClosing || this.#opened !== opened || this.#held.size > 0) return;
        this.#opened = undefined;
        this.#opening = undefined;
        await opened.close();
    }
}
