import { show } from '../text/format.js';
import { runStorage } from './active_run.js';

/** As much of what was thrown, in characters, as a message has. */
const LONGEST = 300;

let watching = false;

/**
 * From now on, a rejection that nobody awaits and a throw in a timer are the failure of the run whose job caused them
 * (AsyncLocalStorage knows it), and the process survives. Any other goes the way it would go without us.
 */
export function watchStrayErrors(): void {
    if (watching) return;
    watching = true;

    const attribute = (cause: unknown): boolean => {
        const active = runStorage.getStore();
        if (!active) return false;
        active.blame(toError(cause));
        return true;
    };

    const onRejection = (cause: unknown) => {
        if (attribute(cause)) return;
        withoutListener('unhandledRejection', onRejection, () => void Promise.reject(cause));
    };
    const onException = (cause: unknown) => {
        if (attribute(cause)) return;
        withoutListener('uncaughtException', onException, () =>
            process.nextTick(() => {
                throw cause;
            }),
        );
    };
    process.on('unhandledRejection', onRejection);
    process.on('uncaughtException', onException);
}

/**
 * Makes an Error of anything that was thrown.
 *
 * @param cause what was thrown, or what a promise was rejected with
 * @returns the error itself, or one that says what was thrown instead
 */
export function toError(cause: unknown): Error {
    // Errors of other realms (a vm context) are errors, too.
    if (cause instanceof Error || Object.prototype.toString.call(cause) === '[object Error]')
        return cause as Error;
    return new Error(`it threw ${describe(cause)}, which is not an Error`, { cause });
}

// With a listener in place Node leaves everything to it; raised again without one, Node does what it always does. Other
// listeners have heard of it already; they are counted without ours, because node:domain (which the framework's REPL
// loads) keeps a listener of its own for as long as there is another one.
function withoutListener(
    event: 'unhandledRejection' | 'uncaughtException',
    listener: (cause: unknown) => void,
    raise: () => void,
) {
    process.off(event, listener);
    if (process.listenerCount(event) === 0) raise();
    setImmediate(() => process.on(event, listener));
}

// In one line, which an Error within it would not be; the whole is its cause.
function describe(cause: unknown): string {
    const line = show(cause).replace(/\s*\n\s*/g, ' ');
    return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
