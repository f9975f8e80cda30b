// The process that measures the engine bullmq: node measure_bullmq.js <url of a Redis of its own> <what>
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { parseConfig } from '../lib/config/config.js';
import { BullmqEngine } from '../lib/engines/bullmq/engine.js';
import { rowOf } from '../lib/engines/bullmq/rows.js';
import { createOwner } from '../lib/engines/owner.js';
import { Workspace } from '../lib/framework.js';
import { BackgroundJob } from '../lib/jobs/background_job.js';
import { planJob } from '../lib/jobs/job_plan.js';
import type { DueSchedule, EngineHost } from '../lib/runs/engine.js';
import type { Emit } from '../lib/runs/events.js';
import { createRun, latenessOf } from '../lib/runs/run.js';
import { Worker as RunWorker } from '../lib/runs/worker.js';
import { createSchedule, type Schedule } from '../lib/schedule/schedule.js';
import { Bot } from '../lib/scheduler/bot.js';
import { systemClock } from '../lib/time/clock.js';
import type { BackgroundJobClass, BackgroundJobDefinition } from '../types/background_job.js';
import { median } from './stopwatch.js';

const ROUNDS = 5;
const RUNS_A_ROUND = 3_000;
const BATCH = 100;
const CONCURRENCY = 10;
const IDLE_SECONDS = 30;
const JOBS = 20;
const LATENESS_SECONDS = 60;

/** Runs per second. */
export interface ThroughputFigures {
    readonly raw: number;
    readonly allow: number;
    readonly lanes: number;
}

/** Redis commands per second. */
export interface IdleFigures {
    readonly raw: number;
    readonly bot: number;
}

/** Milliseconds from a slot to its start. */
export type SlotFigures = readonly number[];

const [, , url = '', what = ''] = process.argv;
await Workspace.run(() => {});
const MEASUREMENTS: Readonly<Record<string, () => Promise<ThroughputFigures | IdleFigures | SlotFigures>>> = {
    throughput,
    idle,
    slots,
};
process.send?.(await MEASUREMENTS[what]?.(), () => process.exit());

// In turns, so that whatever else the machine does meets all of them alike. The first round warms up.
async function throughput(): Promise<ThroughputFigures> {
    BackgroundJob.register('allow', empty({ overlap: 'allow', multiTenant: false }));
    BackgroundJob.register('lanes', empty({ overlap: 'skip', multiTenant: false }));
    const contenders = {
        raw: await rawContender(),
        allow: await ourContender('allow'),
        lanes: await ourContender('lanes'),
    };
    const rates: Record<keyof ThroughputFigures, number[]> = { raw: [], allow: [], lanes: [] };
    let slot = Math.floor(Date.now() / 1000) - 3_600;
    for (let round = 0; round <= ROUNDS; round++) {
        slot += 1;
        for (const [name, contender] of Object.entries(contenders)) {
            const start = performance.now();
            const done = contender.expect(RUNS_A_ROUND);
            for (let from = 0; from < RUNS_A_ROUND; from += BATCH) await contender.add(from, slot);
            await done;
            const rate = (RUNS_A_ROUND / (performance.now() - start)) * 1000;
            if (round > 0) rates[name as keyof ThroughputFigures].push(rate);
        }
    }
    const { raw, allow, lanes } = rates;
    return { raw: median(raw), allow: median(allow), lanes: median(lanes) };
}

interface Contender {
    /** Adds a batch of runs of a slot, from that number on. */
    add(from: number, slot: number): Promise<unknown>;
    expect(count: number): Promise<void>;
}

/** With the same data and options as ours. */
async function rawContender(): Promise<Contender> {
    const { expect, tell } = counter();
    const [prefix, age, owner] = [randomUUID(), 2 * 24 * 3_600, createOwner()];
    const queue = new Queue('runs', { connection: new Redis(url), prefix });
    const worker = new Worker('runs', () => Workspace.run(() => {}), {
        connection: new Redis(url, { maxRetriesPerRequest: null }),
        prefix,
        concurrency: CONCURRENCY,
        removeOnComplete: { age },
        removeOnFail: { age },
    });
    worker.on('completed', tell);
    await worker.waitUntilReady();
    const schedules = schedulesOf('raw');
    const dataOf = ({ text, args }: Schedule, scheduledAt: number) => {
        const run = createRun({ job: 'raw', schedule: text, args, scheduledAt });
        const entry = { kind: 'run', run, runAt: scheduledAt * 1000 } as const;
        const parts = { origin: 'schedule', overlap: 'allow', missed: 'once', catchesUp: false } as const;
        return rowOf(entry, { ...parts, heedsPauses: true }, owner);
    };
    return {
        expect,
        add: (from, slot) =>
            queue.addBulk(
                schedules.slice(from, from + BATCH).map((schedule) => {
                    const data = dataOf(schedule, slot);
                    return { name: 'raw', data, opts: { jobId: data.id } };
                }),
            ),
    };
}

async function ourContender(job: string): Promise<Contender> {
    const { expect, tell } = counter();
    const engine = new BullmqEngine(configOf(randomUUID()));
    const emit: Emit = (event) => {
        if (event.type === 'run-ended') tell();
    };
    const plan = planJob(job, 'UTC');
    const planOf = () => plan;
    const worker = new RunWorker({
        clock: systemClock,
        emit,
        random: Math.random,
        planOf,
        config: { concurrency: CONCURRENCY, turn: 30_000 },
        outputKept: 1_000,
    });
    const host: EngineHost = {
        clock: systemClock,
        emit,
        environment: 'test',
        journal: parseConfig({}).journal,
        config: { concurrency: CONCURRENCY, turn: 30_000 },
        outputKept: 1_000,
        planOf,
        failingAfter: () => Infinity,
        recovered: () => {},
        perform: (taken) => worker.perform(taken),
    };
    await engine.open(host);
    engine.work();
    const schedules = schedulesOf(job);
    const handled = new Map(await engine.handledUntil(schedules, Math.floor(Date.now() / 1000) - 7_200));
    await delay(1_000);
    return {
        expect,
        add: async (from, slot) => {
            const due = schedules.slice(from, from + BATCH).map((schedule, position): DueSchedule => {
                const { key } = schedule;
                const until = { from: handled.get(key) ?? 0, until: slot };
                handled.set(key, slot);
                return {
                    schedule,
                    plan,
                    position,
                    ...until,
                    run: [slot],
                    catchesUp: false,
                    skipped: [],
                    decidesAnew: false,
                };
            });
            await engine.enqueue(due, slot);
        },
    };
}

/** Each with a lane of its own. */
function schedulesOf(job: string): Schedule[] {
    return Array.from({ length: RUNS_A_ROUND }, (_, index) =>
        createSchedule(job, ['* * * * * *', index], 'UTC'),
    );
}

async function idle(): Promise<IdleFigures> {
    const client = new Redis(url);
    // Once an hour all keys are looked through for history to forget, those of other measurements too.
    await client.flushall();
    const commandsOf = async (seconds: number) => {
        const before = await commandCount(client);
        await delay(seconds * 1000);
        return ((await commandCount(client)) - before - 1) / seconds;
    };
    const prefix = randomUUID();
    const queue = new Queue('queue', { connection: new Redis(url), prefix });
    const worker = new Worker('queue', async () => {}, {
        connection: new Redis(url, { maxRetriesPerRequest: null }),
        prefix,
        stalledInterval: 5_000,
    });
    await worker.waitUntilReady();
    await delay(3_000);
    const raw = await commandsOf(IDLE_SECONDS);
    await worker.close();
    await queue.close();
    BackgroundJob.register('yearly', {
        meta(this: BackgroundJobClass) {
            this.schedule('@yearly');
        },
        run() {},
    });
    const bot = new Bot({ config: async () => botConfig() });
    void bot.start();
    // A process that has just started looks around more often.
    await delay(15_000);
    return { raw, bot: await commandsOf(IDLE_SECONDS) };
}

async function slots(): Promise<SlotFigures> {
    const lateness: number[] = [];
    for (let index = 0; index < JOBS; index++) BackgroundJob.register(`job-${index}`, empty({}));
    const bot = new Bot({
        config: async () => botConfig(),
        listen: (event) => {
            if (event.type === 'run-started') lateness.push(latenessOf(event.run));
        },
    });
    void bot.start();
    await delay(3_500);
    lateness.length = 0;
    await delay(LATENESS_SECONDS * 1000);
    return lateness;
}

function counter(): { expect(count: number): Promise<void>; tell(): void } {
    let missing = 0;
    let finish = () => {};
    return {
        expect(count) {
            missing = count;
            return new Promise((resolve) => {
                finish = resolve;
            });
        },
        tell() {
            missing -= 1;
            if (missing === 0) finish();
        },
    };
}

function botConfig() {
    return { log: 'silent', engine: 'bullmq', redis: url, redisPrefix: randomUUID() } as const;
}

function configOf(redisPrefix: string) {
    return parseConfig({ engine: 'bullmq', redis: url, redisPrefix, concurrency: CONCURRENCY });
}

async function commandCount(client: Redis): Promise<number> {
    return Number(/total_commands_processed:(\d+)/.exec(await client.info('stats'))?.[1]);
}

function empty(settings: Omit<BackgroundJobDefinition, 'run'>): BackgroundJobDefinition {
    return {
        ...settings,
        meta(this: BackgroundJobClass) {
            this.schedule('* * * * * *');
        },
        run() {},
    };
}
