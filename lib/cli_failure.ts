import { CliError } from './cli_error.js';
import { placeIn } from './place.js';

const MOST_PLACES = 5;

/**
 * Says what went wrong: one line, followed by the places in the app's own code where it happened, if any. An error
 * that only a bug can cause keeps its whole stack when no code of the app is involved.
 *
 * @param error what was thrown
 * @param root the project's root, where there is a project
 * @param isDebugging whether to print everything that is known
 * @returns the text, without a line's end
 */
export function describeFailure(error: unknown, root: string | undefined, isDebugging: boolean): string {
    if (!(error instanceof Error)) return `error: ${String(error)}`;
    if (isDebugging)
        return [error.stack ?? error.message, ...causesOf(error, (cause) => cause.stack)].join('\n');
    const text = [
        `error: ${isBug(error) ? error : error.message || error.name}`,
        ...causesOf(error, (cause) => cause.message),
    ].join('\n');
    if (error instanceof CliError) return text;

    const frames = root === undefined ? [] : framesIn(error, root);
    if (frames.length > 0) return [text, ...frames].join('\n');
    return isBug(error) ? `error: ${error.stack}` : text;
}

function causesOf(error: Error, tell: (cause: Error) => string | undefined): string[] {
    const causes: unknown[] = error instanceof AggregateError ? error.errors : [error.cause];
    if (error instanceof CliError) return [];
    return causes
        .filter((cause) => cause instanceof Error)
        .map((cause) => `  ${tell(cause) ?? cause.message}`);
}

function isBug(error: Error): boolean {
    return [TypeError, ReferenceError, RangeError, SyntaxError].some((kind) => error instanceof kind);
}

function framesIn(error: Error, root: string): string[] {
    const places = (error.stack ?? '')
        .split('\n')
        .filter((line) => /^\s+at /.test(line))
        .map((line) => placeIn(line, root))
        .filter((place) => place !== undefined);
    return places.slice(0, MOST_PLACES).map(({ file, at }) => `    at ${file}:${at}`);
}
