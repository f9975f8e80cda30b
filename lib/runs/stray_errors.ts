import { runStorage } from './active_run.js';

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
        active.blame(cause);
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
