import { Workspace } from '../../lib/framework.js';
import { BackgroundJob } from '../../lib/jobs/background_job.js';
import type { BotEvent } from '../../lib/runs/events.js';
import type { Run } from '../../lib/runs/run.js';
import { Bot } from '../../lib/scheduler/bot.js';
import type { BotParts } from '../../lib/scheduler/runtime.js';
import { ManualClock } from '../../lib/time/manual_clock.js';
import type { BackgroundJobDefinition } from '../../types/background_job.js';
import { ending } from './jobs.js';

export { gate, job, never } from './jobs.js';

/** A bot on a clock that is moved by hand, with jobs of its own. */
export interface Scenario {
    readonly bot: Bot;
    readonly clock: ManualClock;
    readonly events: BotEvent[];
    /** Every run that has ended or was skipped, in that order. */
    readonly runs: Run[];
    /** How each of them ended, in a few words. */
    readonly endings: string[];
    /** What the jobs noted, with `note`. */
    readonly notes: unknown[];
    readonly loop: Promise<void>;
    eventsOf<Type extends BotEvent['type']>(type: Type): Extract<BotEvent, { type: Type }>[];
    /** The slots of a job's runs with an outcome, as `HH:MM:SS` in UTC. */
    slots(job: string, outcome?: string): string[];
}

/** Replaces all registered jobs by these. */
export function registerJobs(jobs: Record<string, BackgroundJobDefinition>): void {
    for (const name of BackgroundJob.names) BackgroundJob.unregister(name);
    for (const [name, definition] of Object.entries(jobs)) BackgroundJob.register(name, definition);
}

/** Starts a bot at a time, in UTC. */
export async function startScenario(
    at: string,
    jobs: Record<string, BackgroundJobDefinition>,
    {
        config = {},
        notes = [],
        ...parts
    }: { config?: object; notes?: unknown[] } & Omit<BotParts, 'config'> = {},
): Promise<Scenario> {
    // The first workspace of a process imports the framework's files, which takes real time.
    await Workspace.run(async () => {});
    registerJobs(jobs);
    const clock = (parts.clock as ManualClock | undefined) ?? new ManualClock(at);
    const events: BotEvent[] = [];
    let announceStart = () => {};
    const started = new Promise<void>((resolve) => {
        announceStart = resolve;
    });
    const bot = new Bot({
        random: () => 0,
        ...parts,
        clock,
        config: async () => ({ timezone: 'UTC', log: 'silent', journal: false, ...config }),
        listen: (event) => {
            events.push(event.type === 'run-started' ? { ...event, run: { ...event.run } } : event);
            if (event.type === 'bot-started') announceStart();
        },
    });
    const loop = bot.start();
    // Opening a journal takes real time.
    await Promise.race([started, loop]);
    await clock.advance(0);
    const eventsOf = <Type extends BotEvent['type']>(type: Type) =>
        events.filter((event): event is Extract<BotEvent, { type: Type }> => event.type === type);
    const endedRuns = () => eventsOf('run-ended').map(({ run }) => run);
    return {
        bot,
        clock,
        events,
        notes,
        loop,
        eventsOf,
        get runs() {
            return endedRuns();
        },
        get endings() {
            return endedRuns().map(ending);
        },
        slots: (job, outcome = 'succeeded') =>
            endedRuns()
                .filter((run) => run.job === job && run.outcome === outcome)
                .map(slotOf),
    };
}

/** Ends a scenario, whatever still runs in it. */
export async function endScenario({ bot, clock }: Scenario): Promise<void> {
    const stopped = bot.stop();
    await clock.advance(60_000);
    await stopped;
}

/** A run's slot as `HH:MM:SS` in UTC. */
export function slotOf({ scheduledAt }: Pick<Run, 'scheduledAt'>): string {
    return new Date((scheduledAt ?? 0) * 1000).toISOString().slice(11, 19);
}
