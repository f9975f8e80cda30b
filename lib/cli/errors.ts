import { messageOf } from '../text/errors.js';
import { thrownAt } from '../views/thrown_at.js';

/** An error whose message alone is printed, without a stack. */
export class CliError extends Error {}

/** The error for a command line that its command refuses. */
export class UsageError extends CliError {}

/**
 * Says what went wrong: the message, the causes, and the places in the app's own code that led there. An error that only a
 * bug can cause keeps its whole stack if no code of the app is involved.
 */
export function describeFailure(error: unknown, root: string | undefined): string {
    if (!(error instanceof Error)) return messageOf(error);
    if (error instanceof CliError) return error.message;
    const isBug = [TypeError, ReferenceError, RangeError].some((kind) => error instanceof kind);
    const { stack = '' } = error;
    const places =
        root === undefined ? [] : stack.split('\n').flatMap((frame) => thrownAt(frame, root) ?? []);
    if (isBug && places.length === 0) return stack;
    const causes: unknown[] = error instanceof AggregateError ? error.errors : [error.cause];
    return [
        isBug ? String(error) : error.message || error.name,
        ...causes.filter((cause) => cause instanceof Error).map((cause) => `  ${cause.message}`),
        ...places.map((place) => `    at ${place}`),
    ].join('\n');
}
