/** For tests of an app's background jobs: a clock that is moved by hand, and a bot that runs through a period of time. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BotConfig } from '../types/bot_config.js';
import { parseConfig } from './config/config.js';
import type { Run } from './runs/run.js';
import { Bot, runtimeOf } from './scheduler/bot.js';
import type { Runtime } from './scheduler/runtime.js';
import { show } from './text/format.js';
import { ManualClock } from './time/manual_clock.js';
import { isoMoment } from './time/moment.js';
import { END_OF_SLOTS, LEAST_MILLISECONDS } from './time/moment_input.js';
import './install.js';

export type { Run } from './runs/run.js';
export { ManualClock } from './time/manual_clock.js';

export interface SimulationOptions {
    /** The `bot` section of the config. Default: all defaults, and no log. */
    readonly config?: BotConfig;
    /** Default: the `NODE_ENV` of the test. */
    readonly environment?: string;
    /** How many real milliseconds a run may take before the simulated time goes on without it. Default 10000. */
    readonly patience?: number;
}

/**
 * Runs the app's bot through a period of time, second by second, without waiting: the jobs really run, but their schedules,
 * time zones, retries and timeouts follow a simulated clock.
 *
 * @param from the start: a Date, an ISO 8601 text, or unix milliseconds; a slot at exactly this time counts
 * @param to the end; a slot at exactly this time does not count
 * @returns the runs in the order in which they ended, skipped ones included
 * @throws TypeError if one of the two is no time, or `to` is not after `from`
 */
export async function simulate(
    from: Date | string | number,
    to: Date | string | number,
    options: SimulationOptions = {},
): Promise<Run[]> {
    const { patience = USUAL_PATIENCE, environment } = options;
    const [start, end] = [readTime('from', from), readTime('to', to)];
    if (end <= start)
        throw new TypeError(
            `simulate: \`to\` (${isoMoment(end)}) is not after \`from\` (${isoMoment(start)})`,
        );
    const config: BotConfig = { log: 'silent', journal: false, ...options.config };
    const { stopTimeout } = parseConfig(config);
    const runs: Run[] = [];
    const clock = new ManualClock(start, () => rest());
    const bot = new Bot({
        clock,
        config: async () => config,
        // No monitor is told about simulated runs.
        fetch: async () => ({ status: 200, body: null }),
        listen: (event) => {
            if (event.type === 'run-ended') runs.push(event.run);
        },
        ...(environment !== undefined && { environment }),
    });
    const rest = patienceWith(runtimeOf(bot), patience);

    const ended = bot.start();
    await Promise.race([runtimeOf(bot).life?.begun, ended]);
    await rest();
    await clock.advance(end - clock.now() - 1);
    const stopped = bot.stop();
    await clock.advance(stopTimeout + LONGEST_GRACE);
    await stopped;
    return runs;
}

function readTime(argument: string, value: unknown): number {
    const refuse = (why: string) => new TypeError(`simulate: \`${argument}\` (${show(value)}) ${why}`);
    const isReadable = value instanceof Date || typeof value === 'string' || typeof value === 'number';
    const time = isReadable ? new Date(value).getTime() : Number.NaN;
    if (Number.isNaN(time)) throw refuse('is not a time: pass a Date, an ISO 8601 text or unix milliseconds');
    if (typeof value === 'number' && Math.abs(value) < LEAST_MILLISECONDS)
        throw refuse('looks like unix seconds, not milliseconds: multiply it by 1000');
    if (time >= END_OF_SLOTS * 1000) throw refuse('is after the year 2999, where schedules end');
    return time;
}

/** In milliseconds. A run may well take a second on a busy machine; one that hangs is waited for only once. */
const USUAL_PATIENCE = 10_000;

/** More than the bot waits for aborted runs when it stops, in milliseconds. */
const LONGEST_GRACE = 10_000;

// A run that has used up the patience is not waited for again.
function patienceWith(runtime: Runtime, patience: number): () => Promise<void> | undefined {
    const { runs } = runtime.worker;
    let hopeless = 0;
    return () => (runtime.isIdle ? undefined : wait());

    async function wait(): Promise<void> {
        // A timer may just have started something that is not busy yet.
        await nextTurn();
        hopeless = Math.min(hopeless, runs.size);
        const end = performance.now() + patience;
        while (runs.size > hopeless) {
            if (performance.now() > end) hopeless = runs.size;
            await nextTurn();
        }
    }
}
