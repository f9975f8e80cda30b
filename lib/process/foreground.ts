import type { Run } from '../runs/run.js';
import { type Bot, runtimeOf } from '../scheduler/bot.js';
import { LOCK_TIMEOUT } from '../scheduler/runtime.js';
import { printable } from '../text/printable.js';
import { surviveLostOutput } from '../text/terminal.js';
import { formatDuration } from '../time/duration.js';
import { exitCodeOf, exitSoon, onStopSignals, type StopSignal } from './stop_signals.js';

/** How often a line reports the progress of runs, in milliseconds. */
const PROGRESS_EVERY = 10_000;

const ASKED: Record<StopSignal, string> = { SIGINT: 'Interrupted', SIGTERM: 'Told to end' };
const AGAIN: Record<StopSignal, string> = { SIGINT: 'Ctrl-C again', SIGTERM: 'A second SIGTERM' };

const EXITED =
    'The job ended the process before it was over: neither it nor what it uses may call process.exit().';

/**
 * Does work with runs while somebody waits: the log is for people, a line on standard error reports progress now and then,
 * and a signal interrupts the runs and decides on the exit code. A second signal ends the process immediately. If anything
 * else ends it before the work is done, the exit code is 1.
 *
 * @param isJson whether the output is JSON: then no progress is reported
 * @param runs those so far, and those to come if they are known
 */
export async function inForeground<T>(
    { bot, isJson, runs }: { bot: Bot; isJson: boolean; runs: () => readonly Run[] },
    work: (interrupt: AbortSignal) => Promise<T>,
): Promise<T> {
    const controller = new AbortController();
    const since = Date.now();
    const runtime = runtimeOf(bot);
    runtime.logFormat = 'pretty';
    surviveLostOutput();
    runtime.lockTimeout = { milliseconds: LOCK_TIMEOUT, signal: controller.signal };
    const progress = isJson
        ? undefined
        : setInterval(() => console.error(describeProgress(runs(), Date.now() - since)), PROGRESS_EVERY);
    const forget = onStopSignals((signal) => {
        const [state, whom] = runs().some(isGoingOn)
            ? ['waiting for the job to heed its signal', 'it']
            : ['nothing is running', 'this'];
        console.error(`${ASKED[signal]}: ${state}. ${AGAIN[signal]} ends ${whom} immediately.`);
        process.exitCode = exitCodeOf(signal);
        controller.abort();
    });
    const giveUp = () => {
        if (controller.signal.aborted) return runtime.engine.abandon('interrupted');
        console.error(EXITED);
        runtime.engine.abandon('process exited');
        process.exitCode = 1;
    };
    process.on('exit', giveUp);
    try {
        return await work(controller.signal);
    } finally {
        process.off('exit', giveUp);
        forget();
        clearInterval(progress);
        if (controller.signal.aborted) exitSoon(bot);
    }
}

/** The progress of runs after so many milliseconds: `'running send-invoices for 20 s (tenant acme, 3 of 40, attempt 2)'`. */
export function describeProgress(runs: readonly Run[], elapsed: number): string {
    const time = formatDuration(elapsed);
    const current = runs.find(isGoingOn);
    if (!current) return `waiting for ${time}`;
    const details = [
        current.tenant !== undefined && `tenant ${printable(String(current.tenant))}`,
        runs.length > 1 && `${runs.indexOf(current) + 1} of ${runs.length}`,
        current.attempt > 1 && `attempt ${current.attempt}`,
    ].filter(Boolean);
    return `running ${printable(current.job)} for ${time}${details.length > 0 ? ` (${details.join(', ')})` : ''}`;
}

function isGoingOn({ startedAt, endedAt }: Run): boolean {
    return startedAt !== undefined && endedAt === undefined;
}
