import { types } from 'node:util';
import { count, show } from './format.js';

/** An error as plain text. It is made once, where the error is caught; from there on nobody touches what was thrown. */
export interface ErrorRecord {
    readonly name: string;
    readonly message: string;
    readonly code?: string;
    /** Its name and message, and the frames from the app's code on. */
    readonly stack: string;
    /** The errors that led to it, including those of an AggregateError. */
    readonly causes?: readonly ErrorRecord[];
}

/** How many characters of each are kept. */
const LONGEST = { name: 100, message: 4_000, frames: 8_000 };

/** How many errors are kept: the error, its causes, and theirs. */
const MOST_RECORDS = 10;

/** What was thrown, or, if that is no Error, an Error that says what it is. */
export function toError(thrown: unknown): Error {
    if (isError(thrown)) return thrown;
    return new Error(`it threw ${show(thrown)}, which is not an Error`, { cause: thrown });
}

/** Reads what was thrown, cut to a sane length. It never throws, whatever getters and proxies do. */
export function readError(thrown: unknown): ErrorRecord {
    return read(toError(thrown), new Set());
}

/** What was thrown, in short: an error's message, a text as it is, anything else as in code. */
export function messageOf(thrown: unknown): string {
    if (typeof thrown === 'string') return cut(thrown, LONGEST.message);
    if (!isError(thrown)) return show(thrown);
    const { message, name } = readError(thrown);
    return message || name;
}

/** Writes the stack of an error and those of its causes. */
export function traceOf({ stack, causes = [] }: ErrorRecord): string {
    return [stack, ...causes.map((cause) => `caused by ${traceOf(cause)}`)].join('\n');
}

function read(error: Error, seen: Set<Error>): ErrorRecord {
    seen.add(error);
    const name = cut(textOf(attempt(() => error.name)) || 'Error', LONGEST.name);
    const message = cut(
        attempt(() => textOf(error.message)) ?? '(its message cannot be read)',
        LONGEST.message,
    );
    const code = attempt(() => (error as NodeJS.ErrnoException).code);
    const stack = attempt(() => error.stack);
    const causes = causesOf(error).flatMap((cause) =>
        seen.has(cause) || seen.size >= MOST_RECORDS ? [] : [read(cause, seen)],
    );
    return {
        name,
        message,
        ...(typeof code === 'string' && { code: cut(code, LONGEST.name) }),
        stack: stackOfApp(typeof stack === 'string' ? stack : '') || `${name}: ${message}`,
        ...(causes.length > 0 && { causes }),
    };
}

function causesOf(error: Error): Error[] {
    const cause = attempt(() => error.cause);
    const errors = attempt(() => [].slice.call((error as AggregateError).errors, 0, MOST_RECORDS));
    return [cause, ...(errors ?? [])].filter(isError);
}

function isError(thrown: unknown): thrown is Error {
    // Errors of other realms (a vm context) count as well.
    return types.isNativeError(thrown) || attempt(() => thrown instanceof Error) === true;
}

function attempt<T>(read: () => T): T | undefined {
    try {
        return read();
    } catch {
        return undefined;
    }
}

function textOf(value: unknown): string {
    if (typeof value === 'string') return value;
    return value === undefined || value === null ? '' : show(value);
}

// SQLite takes no NUL, and UTF-8 no half of a surrogate pair.
function cut(text: string, length: number): string {
    const start = text.slice(0, length).replace(/[\0\p{Cs}]/gu, '\ufffd');
    return text.length > length ? `${start}… (${count(text.length, 'character')})` : start;
}

/** The code of this package, and of other installations of it, as stacks name it. */
const OWN_FOLDERS = [new URL('..', import.meta.url).href, '/node_modules/pinstripe-bot/'];

// Removes what never leads to a mistake: Node's own frames, and what called the job's `run()`, which is always the same.
function stackOfApp(stack: string): string {
    const start = stack.search(/^[ \t]+at /m);
    if (start < 1) return cut(stack, LONGEST.message);
    const heading = cut(stack.slice(0, start - 1), LONGEST.message);
    const frames = cut(stack.slice(start), LONGEST.frames).split('\n');
    const ours = frames.findIndex((frame) => OWN_FOLDERS.some((folder) => frame.includes(folder)));
    const theirs = frames
        .slice(0, ours === -1 ? frames.length : ours)
        .filter((frame) => !/\(?node:/.test(frame));
    const first = theirs.findIndex((frame) => !/[/\\]node_modules[/\\]/.test(frame));
    return [heading, ...theirs.slice(Math.max(first, 0))].join('\n');
}
