// The process of one contender that runs 100 every-second schedules: node measure_lateness.js <name> <seconds> <folder>
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BackgroundJobInstance } from '../types/background_job.js';
import { PEERS } from './peers.js';

const SCHEDULES = 100;

/** Milliseconds after its second at which a run started; negative: before it. */
export interface LatenessFigures {
    /** Of the first run of each second. */
    readonly first: readonly number[];
    readonly all: readonly number[];
}

const [, , name = '', seconds = '300', folder = '.'] = process.argv;
const runs: { readonly second: number; readonly start: number }[] = [];
const note = (second: number) =>
    void runs.push({ second, start: performance.timeOrigin + performance.now() });
const crontab = '* * * * * *';

if (name === 'pinstripe-bot') await startOurs();
else if (name === 'pinstripe') await startFramework();
else {
    const start = PEERS[name];
    if (!start) throw new Error(`there is no contender ${name}`);
    for (let index = 0; index < SCHEDULES; index++) {
        let second = Number.NaN;
        const schedule = { job: `job-${index}`, crontab, timezone: undefined, customer: index };
        const next = start(schedule, (told) => {
            note(told ?? second);
            // Asked when the runs of this second have started, so that the question makes none of them late.
            if (next) setImmediate(() => (second = next()));
        });
        if (next) second = next();
    }
}

// The first three seconds go by unmeasured: some contenders still warm up.
const from = Math.ceil(Date.now() / 1000) * 1000 + 3_000;
const until = from + Number(seconds) * 1000;
// A run of the last second may be late.
await delay(until + 2_000 - Date.now());
process.send?.(figures(), () => process.exit());

async function startOurs(): Promise<void> {
    const [{ BackgroundJob }, { Bot }, { Workspace }] = await Promise.all([
        import('../lib/jobs/background_job.js'),
        import('../lib/scheduler/bot.js'),
        import('../lib/framework.js'),
    ]);
    for (let index = 0; index < SCHEDULES; index++)
        BackgroundJob.register(`job-${index}`, {
            meta(this: { schedule(crontab: string): void }) {
                this.schedule(crontab);
            },
            run(this: BackgroundJobInstance) {
                note((this.currentRun.scheduledAt ?? Number.NaN) * 1000);
            },
        });
    await Workspace.run(() => {});
    const journal = { filename: join(folder, 'lateness.db') };
    void new Bot({ config: async () => ({ log: 'silent', journal }) }).start();
}

async function startFramework(): Promise<void> {
    const { Job, Workspace } = await import('pinstripe');
    for (let index = 0; index < SCHEDULES; index++)
        Job.register(`job-${index}`, {
            meta(this: { schedule(crontab: string): void }) {
                this.schedule(crontab);
            },
            run(this: { params: { second: number } }) {
                note(this.params.second);
            },
        });
    await Workspace.run(() => {});
    void Workspace.run(async function (this: FrameworkServices) {
        const { jobScheduler, jobQueue } = this;
        const { scheduleJobs } = jobScheduler;
        // What it looks for at a second is due at the next one.
        jobScheduler.scheduleJobs = (unixTime) => {
            jobScheduler.queueJob = async (job) => jobQueue.push(job, { second: (unixTime + 1) * 1000 });
            return scheduleJobs.call(jobScheduler, unixTime);
        };
        this.jobCoordinator.start();
        await new Promise(() => {});
    });
}

interface FrameworkServices {
    readonly jobCoordinator: { start(): void };
    readonly jobScheduler: {
        scheduleJobs(unixTime: number): Promise<void>;
        queueJob(job: string): Promise<void>;
    };
    readonly jobQueue: { push(job: string, params: object): void };
}

function figures(): LatenessFigures {
    const bySecond = new Map<number, number[]>();
    for (const { second, start } of runs) {
        if (second < from || second >= until) continue;
        bySecond.set(second, [...(bySecond.get(second) ?? []), start - second]);
    }
    return {
        first: [...bySecond.values()].map((all) => Math.min(...all)),
        all: [...bySecond.values()].flat(),
    };
}
