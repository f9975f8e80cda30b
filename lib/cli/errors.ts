import { messageOf } from '../text/errors.js';
import { thrownAt } from '../views/thrown_at.js';

/** The exit code of a command that failed. */
export const FAILURE = 1;

/** The exit code of a command line that was not understood. */
export const USAGE = 2;

/** An error whose message is all that its reader needs: it is printed alone, without a stack. */
export class CliError extends Error {}

/** What a command line gets that was understood, but asks for what its command refuses. */
export class UsageError extends CliError {}

/**
 * Says what went wrong: the message, the causes, and the places in the app's own code that led there. An error that only
 * a bug can cause keeps its whole stack when no code of the app is involved.
 */
export function describeFailure(error: unknown, root: string | undefined): string {
    if (!(error instanceof Error)) return messageOf(error);
    if (error instanceof CliError) return error.message;
    const isBug = [TypeError, ReferenceError, RangeError].some((kind) => error instanceof kind);
    const causes: unknown[] = error instanceof AggregateError ? error.errors : [error.cause];
    const text = [
        isBug ? String(error) : error.message || error.name,
        ...causes.filter((cause) => cause instanceof Error).map((cause) => `  ${cause.message}`),
    ];
    const frames = (error.stack ?? '').split('\n');
    const places = root === undefined ? [] : frames.flatMap((frame) => thrownAt(frame, root) ?? []);
    if (isBug && places.length === 0) return frames.join('\n');
    return [...text, ...places.map((place) => `    at ${place}`)].join('\n');
}
