/** For tests of an app's background jobs: a clock that is moved by hand, and a bot that runs through a stretch of time. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BotConfig } from '../types/bot_config.js';
import { parseConfig } from './config/config.js';
import type { Run } from './runs/run.js';
import { Bot, runtimeOf } from './scheduler/bot.js';
import type { Runtime } from './scheduler/runtime.js';
import { ManualClock } from './time/manual_clock.js';
import './install.js';

export type { Run } from './runs/run.js';
export { ManualClock } from './time/manual_clock.js';

/** What may be different in a simulation. */
export interface SimulationOptions {
    /** The `bot` section of the config. Default: all defaults, and no log. */
    readonly config?: BotConfig;
    /** Default: the `NODE_ENV` of the test. */
    readonly environment?: string;
    /** How long, in real milliseconds, a run may stand still before the simulated time goes on without it. Default 10000. */
    readonly patience?: number;
}

/**
 * Runs the bot of the app through a stretch of time, second by second, without waiting: the jobs really run, their
 * schedules, time zones, retries and timeouts go by a clock of its own.
 *
 * @param from the start: a Date, an ISO 8601 text, or unix milliseconds; a slot at exactly this time counts
 * @param to the end; a slot at exactly this time does not count
 * @param options what is to be different
 * @returns the runs in the order in which they ended, skipped ones included
 */
export async function simulate(
    from: Date | string | number,
    to: Date | string | number,
    options: SimulationOptions = {},
): Promise<Run[]> {
    const { patience = USUAL_PATIENCE, environment } = options;
    const config: BotConfig = { log: 'silent', journal: false, ...options.config };
    const { stopTimeout } = parseConfig(config);
    const runs: Run[] = [];
    const clock = new ManualClock(from, () => rest());
    const bot = new Bot({
        clock,
        config: async () => config,
        listen: (event) => {
            if (event.type === 'run-ended') runs.push(event.run);
        },
        ...(environment !== undefined && { environment }),
    });
    const rest = patienceWith(runtimeOf(bot), patience);

    const ended = bot.start();
    await Promise.race([runtimeOf(bot).life?.begun, ended]);
    await rest();
    await clock.advance(new Date(to).getTime() - clock.now() - 1);
    const stopped = bot.stop();
    await clock.advance(stopTimeout + LONGEST_GRACE);
    await stopped;
    return runs;
}

/** A run that still goes takes a second now and then on a busy machine; one that hangs is waited for only once. */
const USUAL_PATIENCE = 10_000;

/** More than the bot waits for aborted runs when it stops, in milliseconds. */
const LONGEST_GRACE = 10_000;

// Runs that have used up the patience once are not waited for again.
function patienceWith(runtime: Runtime, patience: number): () => Promise<void> | undefined {
    let hopeless = 0;
    return () => (runtime.isIdle ? undefined : wait());

    async function wait(): Promise<void> {
        // A timer may just have let something go on that is not busy yet.
        await nextTurn();
        hopeless = Math.min(hopeless, runtime.busy);
        const end = performance.now() + patience;
        while (runtime.busy > hopeless) {
            if (performance.now() > end) hopeless = runtime.busy;
            await nextTurn();
        }
    }
}
