import { type Bot, runtimeOf } from '../scheduler/bot.js';
import { onStopSignals } from './stop_signals.js';

/** How long the rest of the process may take to end by itself once the bot has stopped, in milliseconds. */
const LAST_PATIENCE = 1_000;

/** How long the whole shutdown may take beyond the bot's own patience, in milliseconds. */
const MARGIN = 5_000;

/** What a process that has a bot needs in order to stop in good order. */
export interface StoppableServer {
    /** Closes its listener, where it has one, so that no new requests come in. */
    closeListener?(): void;
    readonly bot: Bot;
    /** How long the bot waits for runs in flight, in milliseconds. */
    readonly stopTimeout: number;
}

/**
 * Stops the server on SIGTERM and SIGINT: the listener closes first, then the bot stops, and the process exits with 0
 * even if something keeps it alive. A second signal exits at once, with 128 and the signal's number. An exit in the
 * middle of runs, such as a job's `process.exit(0)`, names them, and is no success.
 *
 * @param server what is to stop
 */
export function stopOnSignals(server: StoppableServer): void {
    process.on('exit', (code) => {
        if (runtimeOf(server.bot).noteExit() && code === 0) process.exitCode = 1;
    });
    onStopSignals(() => {
        server.closeListener?.();
        exitAfter(server.stopTimeout + MARGIN, server.bot);
        void server.bot.stop();
    });
}

/**
 * Ends the process soon, unless it ends by itself: a timer that a job left behind would keep it alive for ever.
 *
 * @param bot told what keeps it alive
 */
export function exitSoon(bot: Bot): void {
    exitAfter(LAST_PATIENCE, bot);
}

function exitAfter(delay: number, bot: Bot): void {
    setTimeout(() => {
        const resources = process.getActiveResourcesInfo().filter((name) => !/^(TTY|Pipe|File)/.test(name));
        runtimeOf(bot).emit({ type: 'exit-forced', resources: [...new Set(resources)] });
        process.exit();
    }, delay).unref();
}
