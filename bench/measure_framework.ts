import { Job, Workspace } from 'pinstripe';
import type { Figures } from './figures.js';
import { BUSIEST_SECOND, byJob, type MixedSchedule } from './schedule_mix.js';
import { heapInUse, median, processorTimeOf, processorTimeWithTurns } from './stopwatch.js';

const QUIET_ROUNDS = 3;

interface JobScheduler {
    scheduleJobs(second: number): Promise<void>;
}

/** Measures the framework's own scheduler, which looks at every schedule in every second. It knows no zones. */
export async function measureFramework(mix: readonly MixedSchedule[]): Promise<Figures> {
    const jobs = byJob(mix);
    const heapBefore = heapInUse();
    const register = processorTimeOf(() => {
        for (const [job, own] of jobs) Job.register(job, declaring(own));
        for (const job of jobs.keys()) void Job.for(job).schedules;
    });
    const heap = (heapInUse() - heapBefore) / mix.length;
    const figures = { register: (register * 1000) / mix.length, heap };

    return Workspace.run(async function (this: unknown) {
        const { jobScheduler, jobQueue } = this as unknown as {
            jobScheduler: JobScheduler;
            jobQueue: { length: number };
        };
        const quiet: number[] = [];
        for (let second = 0; second < QUIET_ROUNDS; second++) {
            quiet.push(
                await processorTimeWithTurns(() => jobScheduler.scheduleJobs(BUSIEST_SECOND - 100 + second)),
            );
        }
        const before = jobQueue.length;
        // It starts jobs a second early: this is where it finds those of the busiest second.
        const busy = await processorTimeWithTurns(() => jobScheduler.scheduleJobs(BUSIEST_SECOND - 1));
        return { ...figures, quiet: median(quiet), busy, due: jobQueue.length - before };
    });
}

function declaring(schedules: readonly MixedSchedule[]) {
    return {
        meta(this: { schedule(crontab: string, params: object): void }) {
            for (const { crontab, customer } of schedules) this.schedule(crontab, { customer });
        },
    };
}
