import { runStorage } from './active_run.js';

const RAISE_AGAIN: Record<string, (cause: unknown) => void> = {
    unhandledRejection: (cause) => void Promise.reject(cause),
    uncaughtException: (cause) =>
        process.nextTick(() => {
            throw cause;
        }),
};

let isListening = false;

/**
 * From now on, a rejection that nobody awaits and a throw in a timer are the failure of the run whose job caused them
 * (AsyncLocalStorage knows it), and the process survives. Any other goes the way it would go without us.
 */
export function attributeStrayErrors(): void {
    if (isListening) return;
    isListening = true;
    for (const [event, raise] of Object.entries(RAISE_AGAIN)) {
        const listener = (cause: unknown) => {
            const active = runStorage.getStore();
            if (active) return active.blame(cause);
            // With a listener in place Node leaves everything to it; raised again without one, Node does what it always
            // does. Other listeners have heard of it already; they are counted without ours, because node:domain (which
            // the framework's REPL loads) keeps a listener of its own for as long as there is another one.
            process.off(event, listener);
            if (process.listenerCount(event) === 0) raise(cause);
            setImmediate(() => process.on(event, listener));
        };
        process.on(event, listener);
    }
}
