// The process that measures dispatch: node measure_dispatch.js
import { Job, Workspace } from 'pinstripe';
import { DEFAULT_CONFIG, parseConfig } from '../lib/config/config.js';
import { EmbeddedEngine } from '../lib/engines/embedded/engine.js';
import { BackgroundJob } from '../lib/jobs/background_job.js';
import { planJob } from '../lib/jobs/job_plan.js';
import type { Engine } from '../lib/runs/engine.js';
import { publish } from '../lib/runs/events.js';
import { RunsInFlight } from '../lib/runs/runs_in_flight.js';
import type { Schedule } from '../lib/schedule/schedule.js';
import { Dispatcher } from '../lib/scheduler/dispatcher.js';
import { systemClock } from '../lib/time/clock.js';
import type { BackgroundJobClass } from '../types/background_job.js';
import { ForgetfulEngine } from './forgetful_engine.js';
import { median } from './stopwatch.js';

const ROUNDS = 15;
const RUNS_A_ROUND = 4_000;

/** Microseconds of one run. */
export interface DispatchFigures {
    readonly workspace: number;
    readonly frameworkJob: number;
    readonly backgroundJob: number;
    readonly recordedJob: number;
}

Job.register('empty', { run() {} });
BackgroundJob.register('empty', {
    meta(this: BackgroundJobClass) {
        this.schedule('* * * * * *');
    },
    run() {},
});
await Workspace.run(() => {});

const plan = planJob('empty', 'UTC');
const schedule = plan.schedules[0] as Schedule;
const journaling = new EmbeddedEngine();
await journaling.open({
    clock: systemClock,
    emit: publish,
    environment: 'test',
    journal: parseConfig({ journal: false }).journal,
    retryOf: () => undefined,
    execute: async () => {},
    planOf: () => plan,
    longestMissedWithin: () => 0,
    recovered: () => {},
});
const dispatchers = { forgetful: dispatcherOn(new ForgetfulEngine()), journaling: dispatcherOn(journaling) };
let second = Math.floor(Date.now() / 1000) - 1_000_000;

const contenders: Record<keyof DispatchFigures, () => Promise<unknown>> = {
    workspace: () => Workspace.run(() => {}),
    frameworkJob: () => Job.run('empty'),
    backgroundJob: () => runOn(dispatchers.forgetful),
    recordedJob: () => runOn(dispatchers.journaling),
};

// In turns, so that whatever else the machine does meets all of them alike. The first round warms up.
const rounds = new Map<string, number[]>(Object.keys(contenders).map((name) => [name, []]));
for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, run] of Object.entries(contenders)) {
        const start = process.hrtime.bigint();
        for (let index = 0; index < RUNS_A_ROUND; index++) await run();
        const each = Number(process.hrtime.bigint() - start) / 1000 / RUNS_A_ROUND;
        if (round > 0) rounds.get(name)?.push(each);
    }
}
const figures = Object.fromEntries([...rounds].map(([name, each]) => [name, median(each)]));
process.send?.(figures, () => process.exit());

function dispatcherOn(engine: Engine): Dispatcher {
    const parts = { clock: systemClock, engine, emit: publish, config: DEFAULT_CONFIG };
    const inFlight = new RunsInFlight(systemClock, publish, () => engine, Math.random);
    return new Dispatcher({ ...parts, inFlight, environment: 'test' });
}

async function runOn(dispatcher: Dispatcher): Promise<void> {
    const due = [{ plan, schedule, slots: [second++], catchesUp: false }];
    const [run] = await dispatcher.dispatch(due, { manual: false });
    if (run?.outcome !== 'succeeded') throw new Error(`a run was ${run?.outcome}: ${run?.reason}`);
}
