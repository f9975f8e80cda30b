import { after } from 'node:test';
import { Workspace } from '../../lib/framework.js';
import { BackgroundJob } from '../../lib/jobs/background_job.js';
import type { Run } from '../../lib/runs/run.js';
import type { BotParts } from '../../lib/scheduler/runtime.js';
import { ManualClock } from '../../lib/time/manual_clock.js';
import type { BackgroundJobDefinition } from '../../types/background_job.js';
import { createBot } from './fixture_app.js';
import { ending } from './jobs.js';

export { gate, job, never } from './jobs.js';

/** A bot on a clock that is moved by hand, with jobs of its own. */
export type Scenario = Awaited<ReturnType<typeof startScenario>>;

/** Replaces all registered jobs by these. */
export function registerJobs(jobs: Record<string, BackgroundJobDefinition>): void {
    for (const name of BackgroundJob.names) BackgroundJob.unregister(name);
    for (const [name, definition] of Object.entries(jobs)) BackgroundJob.register(name, definition);
}

/** Starts a bot at a time, in UTC; it is stopped when the test ends, whatever still runs. */
export async function startScenario(
    at: string,
    jobs: Record<string, BackgroundJobDefinition>,
    { config = {}, ...parts }: { config?: object } & Omit<BotParts, 'config'> = {},
) {
    // The first workspace of a process imports the framework's files, which takes real time.
    await Workspace.run(async () => {});
    registerJobs(jobs);
    const clock = (parts.clock as ManualClock | undefined) ?? new ManualClock(at);
    const heardBot = await createBot({
        random: () => 0,
        ...parts,
        clock,
        config: { journal: false, ...config },
    });
    after(async () => {
        const stopped = heardBot.bot.stop();
        await clock.advance(60_000);
        await stopped;
    });
    const loop = heardBot.bot.start();
    // Opening a journal takes real time.
    await Promise.race([heardBot.heard('bot-started'), loop]);
    await clock.advance(0);
    const endedRuns = () => heardBot.eventsOf('run-ended').map(({ run }) => run);
    return {
        ...heardBot,
        clock,
        loop,
        /** Every run that has ended or was skipped, in that order. */
        get runs() {
            return endedRuns();
        },
        /** How each of them ended, in a few words. */
        get endings() {
            return endedRuns().map(ending);
        },
        /** The slots of a job's runs with an outcome, as `HH:MM:SS` in UTC. */
        slots: (job: string, outcome = 'succeeded') =>
            endedRuns()
                .filter((run) => run.job === job && run.outcome === outcome)
                .map(slotOf),
        /** The slots that were skipped for a reason. */
        skips: (wanted: string) =>
            endedRuns()
                .filter(({ outcome, reason }) => outcome === 'skipped' && reason === wanted)
                .map(slotOf),
    };
}

/** A run's slot as `HH:MM:SS` in UTC. */
export function slotOf({ scheduledAt }: Pick<Run, 'scheduledAt'>): string {
    return new Date((scheduledAt ?? 0) * 1000).toISOString().slice(11, 19);
}
