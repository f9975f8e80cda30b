// The process that measures dispatch: node measure_dispatch.js [folder]; prints microseconds as JSON.
import { join } from 'node:path';
import { Job, Workspace } from 'pinstripe';
import { parseConfig } from '../lib/config/config.js';
import { EmbeddedEngine } from '../lib/engines/embedded/engine.js';
import { BackgroundJob } from '../lib/jobs/background_job.js';
import { planJob } from '../lib/jobs/job_plan.js';
import { AbortRequest } from '../lib/runs/active_run.js';
import { Output } from '../lib/runs/output.js';
import { createRun } from '../lib/runs/run.js';
import { Worker } from '../lib/runs/worker.js';
import type { Schedule } from '../lib/schedule/schedule.js';
import { systemClock } from '../lib/time/clock.js';
import type { BackgroundJobClass } from '../types/background_job.js';
import { median } from './stopwatch.js';

/** As many runs are due in one second. */
const RUNS = 1_000;
const ROUNDS = 9;

/** Milliseconds of a thousand runs: the median of some rounds. */
export interface DispatchFigures {
    readonly frameworkJob: number;
    readonly runner: number;
    readonly memory: number;
    readonly file: number;
}

Job.register('empty', { run() {} });
BackgroundJob.register('empty', {
    multiTenant: false,
    meta(this: BackgroundJobClass) {
        for (let arg = 0; arg < RUNS; arg++) this.schedule('* * * * * *', arg);
    },
    run() {},
});
await Workspace.run(() => {});
const plan = planJob('empty', 'UTC');
const planOf = () => plan;
const worker = new Worker({
    clock: systemClock,
    emit() {},
    random: () => 0,
    planOf,
    config: { concurrency: 10, turn: 30_000 },
    outputKept: 1_000,
});

async function engineRounds(filename: string | false): Promise<() => Promise<void>> {
    const engine = new EmbeddedEngine();
    let left = 0;
    let announce = () => {};
    await engine.open({
        clock: systemClock,
        environment: 'production',
        journal: parseConfig({ journal: filename === false ? false : { filename } }).journal,
        config: { concurrency: 10, turn: 30_000 },
        outputKept: 1_000,
        planOf,
        perform: (taken) => worker.perform(taken),
        failingAfter: () => Infinity,
        recovered() {},
        emit(event) {
            if (event.type === 'run-ended' && --left === 0) announce();
        },
    });
    engine.work();
    let second = Math.floor(Date.now() / 1000);
    const handled = new Map(await engine.handledUntil(plan.schedules, second));
    return async () => {
        const until = second + 1;
        left = RUNS;
        const over = new Promise<void>((resolve) => {
            announce = resolve;
        });
        const due = plan.schedules.map((schedule: Schedule, position: number) => ({
            schedule,
            plan,
            position,
            from: handled.get(schedule.key) ?? second,
            until,
            // In the past, so that none of them waits for its time.
            run: [until - 100_000],
            catchesUp: false,
            skipped: [],
            decidesAnew: false,
        }));
        await engine.enqueue(due, until);
        for (const { key } of plan.schedules) handled.set(key, until);
        second = until;
        await over;
    };
}

const CONTENDERS: Record<keyof DispatchFigures, () => Promise<void>> = {
    async frameworkJob() {
        for (let index = 0; index < RUNS; index++) await Job.run('empty');
    },
    async runner() {
        const signal = new AbortRequest();
        for (let arg = 0; arg < RUNS; arg++) {
            const run = createRun({
                job: 'empty',
                file: undefined,
                args: [arg],
                tenant: undefined,
                scheduledAt: 1,
                manual: false,
            });
            run.attempt = 1;
            await worker.perform({ kind: 'run', run, signal, dueAt: Date.now(), output: new Output() });
        }
    },
    memory: await engineRounds(false),
    file: await engineRounds(join(process.argv[2] ?? '.', `bench_${process.pid}.db`)),
};

const times = new Map<string, number[]>(Object.keys(CONTENDERS).map((name) => [name, []]));
// In turns, so that a warm-up or a slow moment is everybody's.
for (let round = -3; round < ROUNDS; round++)
    for (const [name, run] of Object.entries(CONTENDERS)) {
        const start = performance.now();
        await run();
        if (round >= 0) times.get(name)?.push(performance.now() - start);
    }
const figures = Object.fromEntries([...times].map(([name, all]) => [name, median(all)]));
if (process.send) process.send(figures, () => process.exit());
else {
    console.log(figures);
    process.exit();
}
