// The process that measures the engine bullmq: node measure_bullmq.js <url of a Redis of its own> <what>
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { parseConfig } from '../lib/config/config.js';
import { BullmqEngine } from '../lib/engines/bullmq/engine.js';
import { type Payload, payloadOf } from '../lib/engines/bullmq/payload.js';
import { Workspace } from '../lib/framework.js';
import { BackgroundJob } from '../lib/jobs/background_job.js';
import { type JobPlan, planJob } from '../lib/jobs/job_plan.js';
import type { EngineHost } from '../lib/runs/engine.js';
import { type Emit, publish } from '../lib/runs/events.js';
import { createRun, latenessOf, type Run } from '../lib/runs/run.js';
import { RunsInFlight } from '../lib/runs/runs_in_flight.js';
import { Bot } from '../lib/scheduler/bot.js';
import { systemClock } from '../lib/time/clock.js';
import type { BackgroundJobClass, BackgroundJobDefinition } from '../types/background_job.js';
import { ForgetfulEngine } from './forgetful_engine.js';
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
    readonly forgetful: number;
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
    BackgroundJob.register('allow', empty({ overlap: 'allow' }));
    BackgroundJob.register('lanes', empty({ overlap: 'skip' }));
    const contenders = {
        raw: await rawContender(() => Workspace.run(() => {})),
        forgetful: await rawContender(forgetfulWork()),
        allow: await ourContender('allow'),
        lanes: await ourContender('lanes'),
    };
    const rates: Record<keyof ThroughputFigures, number[]> = { raw: [], forgetful: [], allow: [], lanes: [] };
    let tenant = 0;
    for (let round = 0; round <= ROUNDS; round++) {
        for (const [name, contender] of Object.entries(contenders)) {
            const runs = Array.from({ length: RUNS_A_ROUND }, () => runOf(name, tenant++));
            const start = performance.now();
            const done = contender.expect(RUNS_A_ROUND);
            for (let from = 0; from < runs.length; from += BATCH)
                await contender.add(runs.slice(from, from + BATCH));
            await done;
            const rate = (RUNS_A_ROUND / (performance.now() - start)) * 1000;
            if (round > 0) rates[name as keyof ThroughputFigures].push(rate);
        }
    }
    const { raw, forgetful, allow, lanes } = rates;
    return {
        raw: median(raw),
        forgetful: median(forgetful),
        allow: median(allow),
        lanes: median(lanes),
    };
}

interface Contender {
    add(runs: readonly Run[]): Promise<unknown>;
    expect(count: number): Promise<void>;
}

async function rawContender(work: (run: Payload) => Promise<void>): Promise<Contender> {
    const { expect, tell } = counter();
    const [prefix, age] = [randomUUID(), 90_000];
    const queue = new Queue('queue', { connection: new Redis(url), prefix });
    const worker = new Worker('queue', ({ data }) => work(data), {
        connection: new Redis(url, { maxRetriesPerRequest: null }),
        prefix,
        concurrency: CONCURRENCY,
    });
    worker.on('completed', tell);
    await worker.waitUntilReady();
    const opts = { attempts: 1, removeOnComplete: { age }, removeOnFail: { age } };
    return {
        expect,
        add: (runs) =>
            queue.addBulk(
                runs.map((run) => ({
                    name: run.job,
                    data: payloadOf(run, false),
                    opts: { ...opts, jobId: randomUUID() },
                })),
            ),
    };
}

/** A whole run of ours, of which nobody asks or tells Redis. */
function forgetfulWork(): (run: Payload) => Promise<void> {
    const engine = new ForgetfulEngine();
    const inFlight = new RunsInFlight(systemClock, publish, () => engine, Math.random);
    const plan = planJob('allow', 'UTC');
    return ({ args, tenant, scheduledAt }) => {
        const run = createRun({ job: plan.name, file: undefined, args, tenant, scheduledAt, manual: false });
        return inFlight.perform(inFlight.activate(run, plan, {}));
    };
}

async function ourContender(job: string): Promise<Contender> {
    const { expect, tell } = counter();
    const engine = new BullmqEngine(configOf(randomUUID()));
    const emit: Emit = (event) => {
        if (event.type === 'run-ended') tell();
        publish(event);
    };
    const inFlight = new RunsInFlight(systemClock, emit, () => engine, Math.random);
    const plan = planJob(job, 'UTC');
    await engine.open(hostOf(emit, plan, inFlight));
    engine.start();
    await delay(1_000);
    return { expect, add: async (runs) => engine.queue?.add(runs, false) };
}

function hostOf(emit: Emit, plan: JobPlan, inFlight: RunsInFlight): EngineHost {
    return {
        clock: systemClock,
        emit,
        environment: 'test',
        journal: parseConfig({}).journal,
        planOf: () => plan,
        longestMissedWithin: () => 3_600_000,
        retryOf: () => undefined,
        recovered: () => {},
        execute(run) {
            const active = inFlight.activate(run, plan, {});
            active.isClaimed = true;
            return inFlight.perform(active);
        },
    };
}

async function idle(): Promise<IdleFigures> {
    const client = new Redis(url);
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
    await delay(3_000);
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

function runOf(job: string, tenant: number): Run {
    return createRun({ job, file: undefined, args: [], tenant, scheduledAt: 1_767_225_600, manual: false });
}
