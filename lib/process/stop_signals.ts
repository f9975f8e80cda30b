import { constants } from 'node:os';
import { type Bot, runtimeOf } from '../scheduler/bot.js';

/** A signal that comes again within so many milliseconds is the same: npm passes on a Ctrl-C that its child also gets. */
const SAME_SIGNAL = 500;

/** How long the process may take to end by itself once the bot has stopped, in milliseconds. */
const GRACE_AFTER_STOP = 1_000;

/** How long the whole shutdown may take beyond the bot's `stopTimeout`, in milliseconds. */
const MARGIN = 5_000;

export type StopSignal = 'SIGTERM' | 'SIGINT';

/**
 * Stops the server on SIGTERM and SIGINT: first its listener closes, if it has one, then the bot stops within `stopTimeout`
 * milliseconds, and the process exits with 0 even if something keeps it alive. An exit in the middle of runs, such as a job's
 * `process.exit(0)`, names them and is no success.
 */
export function stopOnSignals(bot: Bot, stopTimeout: number, closeListener = () => {}): void {
    process.on('exit', (code) => {
        const { worker, life, emit } = runtimeOf(bot);
        const runs = [...worker.runs].map(({ run }) => run);
        // A stop that is over has named the runs it gave up; one that goes on may be cut short by a second signal.
        const isAsked = life?.isOver !== false || (code !== 0 && !life.isOpen);
        if (runs.length === 0 || isAsked) return;
        emit({ type: 'exit-with-runs', runs });
        if (code === 0) process.exitCode = 1;
    });
    onStopSignals(() => {
        closeListener();
        exitAfter(stopTimeout + MARGIN, bot);
        void bot.stop();
    });
}

/** Ends the process soon, unless it ends by itself: a timer that a job has left behind would keep it alive for ever. */
export function exitSoon(bot: Bot): void {
    exitAfter(GRACE_AFTER_STOP, bot);
}

function exitAfter(delay: number, bot: Bot): void {
    setTimeout(() => {
        const resources = process.getActiveResourcesInfo().filter((name) => !/^(TTY|Pipe|File)/.test(name));
        runtimeOf(bot).emit({ type: 'exit-forced', resources: [...new Set(resources)] });
        process.exit();
    }, delay).unref();
}

/**
 * Calls `begin` at the first SIGTERM or SIGINT; a second one exits immediately, with 128 plus its number. SIGHUP, the end
 * of a terminal, is passed on as SIGTERM, so that others who listen for that hear it, too.
 *
 * @returns stops listening
 */
export function onStopSignals(begin: (signal: StopSignal) => void): () => void {
    let stoppingSince: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
        if (stoppingSince === undefined) {
            stoppingSince = Date.now();
            // The terminal has written ^C, without a line end.
            if (signal === 'SIGINT') [process.stdout, process.stderr].find(({ isTTY }) => isTTY)?.write('\n');
            begin(signal as StopSignal);
        } else if (Date.now() - stoppingSince > SAME_SIGNAL) {
            process.exit(exitCodeOf(signal));
        }
    };
    const onHangUp = () => void process.emit('SIGTERM', 'SIGTERM');
    const listeners = Object.entries({ SIGHUP: onHangUp, SIGTERM: onSignal, SIGINT: onSignal });
    for (const [signal, listener] of listeners) process.on(signal, listener);
    return () => {
        for (const [signal, listener] of listeners) process.off(signal, listener);
    };
}

/** The exit code of a process that a signal has ended, as shells have it: 130 for SIGINT, 143 for SIGTERM. */
export function exitCodeOf(signal: NodeJS.Signals): number {
    return 128 + constants.signals[signal];
}
