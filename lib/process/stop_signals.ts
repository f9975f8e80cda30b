import { constants } from 'node:os';

/** A signal that comes again within this time is the same one: npm hands on a Ctrl-C that its child got, too. */
const SAME_SIGNAL = 500;

/** The signals that ask a process to end. */
export type StopSignal = 'SIGTERM' | 'SIGINT';

/**
 * Listens to SIGTERM and SIGINT. The first begins the end; a second one exits at once, with 128 and its number. SIGHUP,
 * the end of a terminal, is handed on as SIGTERM, so that whoever else listens to that hears of it, too.
 *
 * @param begin told of the first
 * @returns a function that ends this: signals do what they do without a listener
 */
export function onStopSignals(begin: (signal: StopSignal) => void): () => void {
    let stoppingSince: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
        if (stoppingSince === undefined) {
            stoppingSince = Date.now();
            if (signal === 'SIGINT') leaveLine();
            begin(signal as StopSignal);
        } else if (Date.now() - stoppingSince > SAME_SIGNAL) {
            process.exit(exitCodeOf(signal));
        }
    };
    const onHangUp = () => void process.emit('SIGTERM', 'SIGTERM');
    process.on('SIGHUP', onHangUp);
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    return () => {
        process.off('SIGHUP', onHangUp);
        process.off('SIGTERM', onSignal);
        process.off('SIGINT', onSignal);
    };
}

// The terminal has written ^C, and stays behind it.
function leaveLine(): void {
    [process.stdout, process.stderr].find(({ isTTY }) => isTTY)?.write('\n');
}

/**
 * The exit code of a process that a signal has ended, as shells have it.
 *
 * @param signal which
 * @returns 128 and its number: 130 for SIGINT, 143 for SIGTERM
 */
export function exitCodeOf(signal: NodeJS.Signals): number {
    return 128 + constants.signals[signal];
}
