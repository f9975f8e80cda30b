// The process of one contender that runs 100 every-second schedules: node measure_lateness.js <name> <seconds>
import { setTimeout as delay } from 'node:timers/promises';
import { PEERS } from './peers.js';

const SCHEDULES = 100;

/** Milliseconds after the second at which runs started; negative: before it. */
export interface LatenessFigures {
    readonly first: readonly number[];
    readonly all: readonly number[];
}

const [, , name = '', seconds = '60'] = process.argv;
const starts: number[] = [];
const note = () => starts.push(performance.timeOrigin + performance.now());
const crontab = '* * * * * *';

if (name === 'pinstripe-bot') await startOurs();
else if (name === 'pinstripe') await startFramework();
else {
    const start = PEERS[name];
    if (!start) throw new Error(`there is no contender ${name}`);
    for (let index = 0; index < SCHEDULES; index++)
        start({ job: `job-${index}`, crontab, timezone: undefined, customer: index }, note);
}

// The first second goes by unmeasured: some contenders still warm up.
await delay(1_500);
starts.length = 0;
await delay(Number(seconds) * 1000);
process.send?.(figuresOf(starts), () => process.exit());

async function startOurs(): Promise<void> {
    const [{ BackgroundJob }, { Bot }, { Workspace }] = await Promise.all([
        import('../lib/jobs/background_job.js'),
        import('../lib/scheduler/bot.js'),
        import('../lib/framework.js'),
    ]);
    for (let index = 0; index < SCHEDULES; index++) BackgroundJob.register(`job-${index}`, declaring());
    await Workspace.run(() => {});
    void new Bot({ config: async () => ({ log: 'silent' }) }).start();
}

async function startFramework(): Promise<void> {
    const { Job, Workspace } = await import('pinstripe');
    for (let index = 0; index < SCHEDULES; index++) Job.register(`job-${index}`, declaring());
    await Workspace.run(() => {});
    void Workspace.run(async function (this: { jobCoordinator: { start(): void } }) {
        this.jobCoordinator.start();
        await new Promise(() => {});
    });
}

function declaring() {
    return {
        meta(this: { schedule(crontab: string): void }) {
            this.schedule(crontab);
        },
        run: note,
    };
}

function figuresOf(times: readonly number[]): LatenessFigures {
    const bySecond = new Map<number, number>();
    for (const time of times) {
        const second = Math.round(time / 1000);
        bySecond.set(second, Math.min(bySecond.get(second) ?? Number.POSITIVE_INFINITY, time));
    }
    const lateness = (time: number) => time - Math.round(time / 1000) * 1000;
    return { first: [...bySecond.values()].map(lateness), all: times.map(lateness) };
}
