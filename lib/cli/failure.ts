import { inspect } from 'node:util';
import { messageOf } from '../text/errors.js';
import { CliError } from './error.js';
import { placeIn } from './place.js';

const MOST_PLACES = 5;

/**
 * Says what went wrong: one line, followed by the places in the app's own code where it happened, if any. An error
 * that only a bug can cause keeps its whole stack when no code of the app is involved.
 *
 * @param error what was thrown
 * @param root the project's root, where there is a project
 * @returns the text, without a line's end
 */
export function describeFailure(error: unknown, root: string | undefined): string {
    if (!(error instanceof Error)) return messageOf(error);
    if (error instanceof CliError) return error.message;
    const message = isBug(error) ? String(error) : error.message || error.name;
    const text = [message, ...causesOf(error).map((cause) => `  ${cause.message}`)].join('\n');
    const places = root === undefined ? [] : placesIn(error, root);
    if (places.length > 0) return [text, ...places].join('\n');
    return isBug(error) ? (error.stack ?? text) : text;
}

/**
 * Says everything that is known about an error, for those who look for a bug.
 *
 * @param error what was thrown
 * @returns its stack, its causes, and what else it carries
 */
export function dumpFailure(error: unknown): string {
    return inspect(error);
}

function causesOf(error: Error): Error[] {
    const causes: unknown[] = error instanceof AggregateError ? error.errors : [error.cause];
    return causes.filter((cause) => cause instanceof Error);
}

function isBug(error: Error): boolean {
    return [TypeError, ReferenceError, RangeError, SyntaxError].some((kind) => error instanceof kind);
}

function placesIn(error: Error, root: string): string[] {
    const places = (error.stack ?? '')
        .split('\n')
        .filter((line) => /^\s+at /.test(line))
        .map((line) => placeIn(line, root))
        .filter((place) => place !== undefined);
    return places.slice(0, MOST_PLACES).map(({ file, at }) => `    at ${file}:${at}`);
}
